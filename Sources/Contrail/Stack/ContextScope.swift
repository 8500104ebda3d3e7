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
    private let parent: AppContext?
    private let claim: UnitClaim
    let site: Site

    private let isFinished = Atomic<Bool>(false)

    // MARK: - Making

    /// A scope in which `context` is the current app context.
    package init(_ context: AppContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = ContextLayers.inheritable
        let around = inherited?.visible
        self.appContext = context
        self.request = nil
        self.ownsApp = true
        self.parent = around?.app
        self.claim = .forApp(worker: worker, in: outer, caller: caller)
        self.site = site
        self.layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: context, request: around?.request),
            in: inherited,
            outerRequest: around?.request
        )
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            unit: self.claim.unit,
            layers: self.layers
        )
    }

    /// A scope in which `request` is the current request context, on the current app context of its app or on one of its own.
    package init(_ request: App.RequestContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = ContextLayers.inheritable
        let around = inherited?.visible
        let reused = around?.app.flatMap { $0.app === request.app ? $0 : nil }
        self.appContext = reused ?? AppContext(request.app, origin: request.origin)
        self.request = request
        self.ownsApp = reused == nil
        self.parent = around?.app
        self.claim = .forRequest(of: request.app, worker: worker, in: outer, caller: caller)
        self.site = site
        self.layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: self.appContext, request: request),
            in: inherited,
            outerRequest: around?.request,
            takesApp: reused != nil,
            bindsRequest: false
        )
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            unit: self.claim.unit,
            layers: self.layers
        )
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
        if let recycling = self.claim.recycling { self.appContext.app.record(recycling) }
        if self.ownsApp {
            let unit = self.claim.unit
            self.appContext.beginPush(site: self.site, parent: self.parent, unit: unit)
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
        self.layers.bindRequest()
        self.request?.beginPush(on: self.appContext, site: self.site, unit: self.claim.unit)
    }

    private func abandon(_ error: any Error) {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.leave()
        self.appContext.undoPush(error, site: self.site)
    }

    // MARK: - Running

    /// Runs the closure with the contexts current.
    package nonisolated(nonsending) func run<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await self.scope.run(operation)
    }

    // MARK: - Finishing

    /// Whether a hook would run now that only an async caller can run: on the way out, or for what was left pushed.
    var needsAsync: Bool {
        let app = self.appContext.app
        if self.ownsApp, app.hasAsyncAppHooks { return true }
        if self.request != nil, app.hasAsyncRequestHooks { return true }
        return self.layers.leftovers.contains { $0.needsAsync }
    }

    /// Unwinds and pops. Returns what hooks and receivers threw. Async hooks must not be there.
    func finish(_ outcome: Outcome) -> [any Error] {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return [] }
        var (errors, ending) = self.scope.run { () -> ([any Error], LifetimeEnding?) in
            var errors: [any Error] = []
            while let (push, scope) = self.nextLeftover() {
                var ending = push.leaking()
                scope.run { ending.runHooks() }
                scope.closeLayers()
                self.layers.removeTop()
                errors += ending.finish()
                push.claim?.release()
            }
            if let request = self.request {
                var ending = LifetimeEnding(.request(request), outcome: outcome, site: self.site)
                ending.runHooks()
                self.layers.unbindRequest()
                errors += ending.finish()
            }
            guard self.ownsApp else { return (errors, nil) }
            var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            ending.runHooks()
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
            var errors: [any Error] = []
            while let (push, scope) = self.nextLeftover() {
                var ending = push.leaking()
                await scope.run { await ending.runHooks() }
                scope.closeLayers()
                self.layers.removeTop()
                errors += ending.finish()
                push.claim?.release()
            }
            if let request = self.request {
                var ending = LifetimeEnding(.request(request), outcome: outcome, site: self.site)
                await ending.runHooks()
                self.layers.unbindRequest()
                errors += ending.finish()
            }
            guard self.ownsApp else { return (errors, nil) }
            var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            await ending.runHooks()
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

    /// The leftover on top, with the scope in which its hooks see it as current: not every caller is the owner.
    private func nextLeftover() -> (ContextPush, Scope)? {
        self.layers.top.map { push in
            (push, push.scope(showing: self.layers.visibleToOwner, branch: self.scope.branch))
        }
    }

    private func leave() {
        self.layers.close()
        self.claim.release()
    }
}
