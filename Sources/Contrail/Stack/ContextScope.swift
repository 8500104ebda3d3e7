// A context entered for the length of a closure, of a response's delivery, or of a borrower's work.

package import ContextVariables
package import ContrailRecorder
internal import Synchronization

/// Contexts that are entered once and left once, in order: enter, run (any number of times), finish.
///
/// It unwinds: imperative pushes left above the base are torn down top first, as leaks, then the base pops. Finishing twice
/// does nothing. Enter on the task or thread that owns the scope; finish anywhere.
package final class ContextScope: Sendable {
    package let request: App.RequestContext?
    package let appContext: AppContext

    let scope: Scope

    private let layers: ContextLayers
    private let ownsApp: Bool
    private let claim: UnitClaim?
    let site: Site

    private let isFinished = Atomic<Bool>(false)

    /// A unit that a request took from its worker.
    struct UnitClaim: Sendable {
        let worker: Worker?
        let unit: WorkUnit
        let recycling: Worker.Recycling?
    }

    // MARK: - Making

    /// A scope in which `context` is the current app context.
    package init(_ context: AppContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = ContextLayers.inheritable
        let request = inherited?.visible.request
        self.appContext = context
        self.request = nil
        self.ownsApp = true
        self.claim = nil
        self.site = site
        self.layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: context, request: request),
            requestSource: request == nil ? nil : inherited
        )
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            unit: worker?.currentUnit() ?? Self.unit(inheritedFrom: outer, caller),
            layers: self.layers
        )
    }

    /// A scope in which `request` is the current request context, on the current app context of its app or on one of its own.
    package init(_ request: App.RequestContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = ContextLayers.inheritable
        let reused = inherited?.visible.app.flatMap { $0.app === request.app ? $0 : nil }
        self.appContext = reused ?? AppContext(request.app, origin: request.origin)
        self.request = request
        self.ownsApp = reused == nil
        self.site = site
        self.layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: self.appContext, request: request),
            appSource: reused == nil ? nil : inherited
        )
        let claim = UnitClaim(for: request.app, worker: worker, outer: outer, caller: caller)
        self.claim = claim
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            unit: claim.unit,
            layers: self.layers
        )
    }

    /// The unit for code that is not a request: the one around it, or a new one.
    private static func unit(inheritedFrom outer: Scope?, _ caller: ExecutionID) -> WorkUnit {
        if let unit = outer?.unit, !unit.isEnded { return unit }
        return caller.isTask ? WorkUnit() : ThreadState.current.worker.currentUnit()
    }

    // MARK: - Entering

    /// Pushes the contexts. A failure undoes itself: an app context of its own is popped with the error, nothing else is
    /// called.
    package func enter() throws {
        if let error = self.push() {
            self.abandon(error)
            throw error
        }
    }

    /// Pushes the contexts. Returns the error of entering when `Failure` can carry it, and the push is undone then; any other
    /// is in the trail, and the push stands.
    func enter<Failure: Error>(orFailWith type: Failure.Type) -> Failure? {
        guard let error = self.push() else { return nil }
        guard let carried = error as? Failure else {
            self.pushRequest()
            return nil
        }
        self.abandon(error)
        return carried
    }

    /// Pushes the contexts. Returns the error of a receiver; then the app context is pushed and the request is not.
    private func push() -> (any Error)? {
        if let recycling = self.claim?.recycling { self.appContext.app.record(recycling) }
        if self.ownsApp {
            let unit = self.scope.unit
            self.appContext.beginPush(site: self.site, parent: nil, unit: unit)
            do {
                try self.scope.run { try self.appContext.announcePush(unit: unit) }
            } catch {
                return error
            }
        }
        self.pushRequest()
        return nil
    }

    private func pushRequest() {
        self.request?.beginPush(on: self.appContext, site: self.site, unit: self.scope.unit)
    }

    private func abandon(_ error: any Error) {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.leave()
        self.appContext.undoPush(error, site: self.site)
    }

    /// Gives up a scope that was never entered.
    func discard() {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.leave()
    }

    // MARK: - Running

    /// Runs the closure with the contexts current.
    package nonisolated(nonsending) func run<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await self.scope.run(operation)
    }

    // MARK: - Finishing

    /// Whether a hook is registered that only an async caller can run.
    var needsAsync: Bool {
        let app = self.appContext.app
        return app.appHooks.contains { $0.isAsync } || app.requestHooks.contains { $0.isAsync }
    }

    /// Unwinds and pops. Returns what hooks and receivers threw. Async hooks must not be there.
    func finish(_ outcome: Outcome) -> [any Error] {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return [] }
        var (errors, ending) = self.scope.run { () -> ([any Error], LifetimeEnding?) in
            var errors = self.unwind()
            if let request = self.request {
                errors += request.end(outcome, site: self.site) { self.layers.unbindRequest() }
            }
            guard self.ownsApp else { return (errors, nil) }
            var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            if self.appContext.lifetime.current.depth == 1 { ending.runHooks() }
            return (errors, ending)
        }
        self.leave()
        errors += ending?.finish() ?? []
        return errors
    }

    /// Unwinds and pops, with async hooks shielded from cancellation. Returns what hooks and receivers threw.
    @discardableResult
    package nonisolated(nonsending) func finish(_ outcome: Outcome) async -> [any Error] {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return [] }
        var (errors, ending) = await self.scope.run { () async -> ([any Error], LifetimeEnding?) in
            var errors = await self.unwind()
            if let request = self.request {
                errors += await request.end(outcome, site: self.site) { self.layers.unbindRequest() }
            }
            guard self.ownsApp else { return (errors, nil) }
            var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            if self.appContext.lifetime.current.depth == 1 { await ending.runHooks() }
            return (errors, ending)
        }
        self.leave()
        errors += ending?.finish() ?? []
        return errors
    }

    /// Finishes in a housekeeping task: for a caller that cannot wait, such as a `deinit`.
    package func finishLater(_ outcome: Outcome) {
        guard !self.isFinished.load(ordering: .acquiring) else { return }
        Task.detached(name: "contrail housekeeping") { await self.finish(outcome) }
    }

    private func unwind() -> [any Error] {
        var errors: [any Error] = []
        while let push = self.layers.top {
            push.recordLeak()
            switch push {
            case .app(let context, let site):
                errors += context.end(.leaked, site: site) { self.layers.remove(context) }
            case .request(let context, _, let unit, let worker, let site):
                errors += context.end(.leaked, site: site) { self.layers.remove(context) }
                self.scope.removeUnit(unit)
                worker?.releaseUnit(unit)
            }
        }
        return errors
    }

    private nonisolated(nonsending) func unwind() async -> [any Error] {
        var errors: [any Error] = []
        while let push = self.layers.top {
            push.recordLeak()
            switch push {
            case .app(let context, let site):
                errors += await context.end(.leaked, site: site) { self.layers.remove(context) }
            case .request(let context, _, let unit, let worker, let site):
                errors += await context.end(.leaked, site: site) { self.layers.remove(context) }
                self.scope.removeUnit(unit)
                worker?.releaseUnit(unit)
            }
        }
        return errors
    }

    private func leave() {
        self.layers.close()
        self.claim?.release()
    }
}

extension ContextScope.UnitClaim {
    /// Takes the unit for a request: its worker recycles, unless the app says otherwise or the worker is inside a request.
    init(for app: App, worker: Worker?, outer: Scope?, caller: ExecutionID) {
        let worker = worker ?? (caller.isTask ? nil : ThreadState.current.worker)
        guard app.recyclesOnRequest else {
            let unit = outer?.unit ?? worker?.currentUnit() ?? WorkUnit()
            self.init(worker: nil, unit: unit, recycling: nil)
            return
        }
        guard let worker else {
            self.init(worker: nil, unit: outer?.unit.map { WorkUnit(worker: $0.worker) } ?? WorkUnit(), recycling: nil)
            return
        }
        let (unit, recycling) = worker.claimUnit()
        self.init(worker: worker, unit: unit, recycling: recycling)
    }

    /// Ends the unit and releases its values, if it was begun for the request.
    func release() {
        self.worker?.releaseUnit(self.unit)
    }
}
