// A context entered for the length of a closure, of a response's delivery, or of a borrower's work.

package import ContextVariables
package import ContrailRecorder
internal import Synchronization

/// Contexts that are entered once and left once, in order: enter, run (any number of times), finish.
///
/// It unwinds: imperative pushes left above the base are torn down top first, as leaks, then the base pops. Finishing twice
/// does nothing. Enter on the task or thread that owns the scope; finish anywhere.
package final class ContextScope: Sendable {
    let scope: Scope

    // unowned(unsafe): `scope` is constant and keeps its layers for as long as it lives, and these are the layers' base,
    // which is constant too.
    package unowned(unsafe) let request: App.RequestContext?
    package unowned(unsafe) let appContext: AppContext

    // Unmanaged: `scope` is constant and was made with these layers, which it keeps for as long as it lives; and the app is a
    // constant of the app context, which is in their base. The properties below borrow them where nothing needs a count.
    private let keptLayers: Unmanaged<ContextLayers>
    private let keptApp: Unmanaged<App>
    private var layers: ContextLayers { self.keptLayers.takeUnretainedValue() }
    private let owner: ExecutionID
    private let ownsApp: Bool
    private let isRequest: Bool
    private let parent: TrailEvent.ContextOrdinal?
    private let claim: UnitClaim
    let site: Site

    private let isFinished = Atomic<Bool>(false)
    private let requestIsUndone = Atomic<Bool>(false)

    // MARK: - Making

    /// A scope in which `context` is the current app context.
    package init(_ context: AppContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = outer.flatMap { ContextLayers.inheritable(from: $0) }
        let around = inherited?.visible
        let layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: context, request: around?.request),
            in: inherited,
            outerRequest: around?.request
        )
        self.owner = caller
        self.appContext = context
        self.request = nil
        self.isRequest = false
        self.ownsApp = true
        self.parent = around?.app === context ? nil : context.app.ordinal(of: around?.app)
        self.claim = .forApp(worker: worker, in: outer, caller: caller)
        self.site = site
        self.keptLayers = Unmanaged.passUnretained(layers)
        self.keptApp = Unmanaged.passUnretained(self.appContext.app)
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            source: self.claim.source,
            layers: layers
        )
    }

    /// A scope in which `request` is the current request context, on the current app context of its app or on one of its own.
    package init(_ request: App.RequestContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current
        let inherited = outer.flatMap { ContextLayers.inheritable(from: $0) }
        let around = inherited?.visible
        let reused = around?.app.flatMap { $0.app === request.app ? $0 : nil }
        let appContext = reused ?? AppContext(request.app, origin: request.origin)
        let layers = ContextLayers(
            owner: caller,
            base: ContextLayers.Visible(app: appContext, request: request),
            in: inherited,
            outerRequest: around?.request,
            takesApp: reused != nil,
            bindsRequest: false
        )
        self.owner = caller
        self.appContext = appContext
        self.request = request
        self.isRequest = true
        self.ownsApp = reused == nil
        self.parent = reused == nil ? request.app.ordinal(of: around?.app) : nil
        self.claim = .forRequest(
            of: request.app,
            worker: worker,
            in: outer,
            caller: caller,
            isInside: around?.app != nil
        )
        self.site = site
        self.keptLayers = Unmanaged.passUnretained(layers)
        self.keptApp = Unmanaged.passUnretained(self.appContext.app)
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            source: self.claim.source,
            layers: layers
        )
    }

    // MARK: - Entering

    /// What stopped the entry, and how far it had come.
    private enum Obstacle {
        /// A receiver of `appcontext_pushed` threw: nothing but the app context is pushed.
        case receiver(any Error)
        /// Opening the session or matching the path threw: everything is pushed.
        case opening(any Error)

        var error: any Error {
            switch self {
            case .receiver(let error), .opening(let error): error
            }
        }
    }

    /// Pushes the contexts. A failure undoes itself: the request is unbound, and an app context of its own is popped with the
    /// error.
    package nonisolated(nonsending) func enter() async throws {
        guard let obstacle = self.push() else { return }
        if self.abandon(obstacle) { await self.finish(Outcome(error: obstacle.error)) }
        throw obstacle.error
    }

    /// Pushes the contexts. Throws the error of entering when `Failure` can carry it, and the push is undone then; any other
    /// is in the trail, and the push stands.
    @inline(__always)
    func enter<Failure: Error>(orFailWith type: Failure.Type) throws(Failure) {
        if let obstacle = self.push() { try self.stop(at: obstacle, orFailWith: type) }
    }

    // Apart, because an optional of the caller's error type costs a look-up on entry to the function that has one.
    @inline(never)
    private func stop<Failure: Error>(at obstacle: Obstacle, orFailWith type: Failure.Type) throws(Failure) {
        guard let carried = self.carried(obstacle, as: type) else { return }
        if self.abandon(obstacle) {
            if self.needsAsync {
                self.finishLater(Outcome(error: carried))
            } else {
                _ = self.finish(Outcome(error: carried))
            }
        }
        throw carried
    }

    /// Pushes the contexts, as its sync twin does.
    nonisolated(nonsending) func enter<Failure: Error>(orFailWith type: Failure.Type) async throws(Failure) {
        if let obstacle = self.push() { try await self.stop(at: obstacle, orFailWith: type) }
    }

    @inline(never)
    private nonisolated(nonsending) func stop<Failure: Error>(
        at obstacle: Obstacle,
        orFailWith type: Failure.Type
    ) async throws(Failure) {
        guard let carried = self.carried(obstacle, as: type) else { return }
        if self.abandon(obstacle) { await self.finish(Outcome(error: carried)) }
        throw carried
    }

    private func carried<Failure: Error>(_ obstacle: Obstacle, as type: Failure.Type) -> Failure? {
        if let carried = obstacle.error as? Failure { return carried }
        switch obstacle {
        case .receiver: if let next = self.pushRequest() { self.recordOpening(next) }
        case .opening: self.recordOpening(obstacle)
        }
        return nil
    }

    private func recordOpening(_ obstacle: Obstacle) {
        if let request { request.app.recordFailure("open the session", obstacle.error, context: request) }
    }

    /// Pushes the contexts. Returns what stopped it.
    private func push() -> Obstacle? {
        if let recycling = self.claim.recycling { self.appContext.app.record(recycling) }
        if self.ownsApp {
            let unit = self.claim.unit
            self.appContext.beginPush(site: self.site, parent: self.parent, unit: unit, by: self.owner)
            if Signals.appContextPushed.hasReceivers {
                do {
                    try self.scope.run { try self.appContext.announcePush(unit: unit) }
                } catch {
                    return .receiver(error)
                }
            }
        }
        return self.pushRequest()
    }

    private func pushRequest() -> Obstacle? {
        guard self.isRequest, let request = self.request else { return nil }
        self.layers.bindRequest()
        request.beginPush(on: self.appContext, site: self.site, unit: self.claim.unit, by: self.owner)
        do {
            if request.opensForUser {
                try self.scope.run { try request.open() }
            } else {
                try request.open()
            }
            return nil
        } catch {
            return .opening(error)
        }
    }

    /// Undoes the entry as far as nothing has to be called. Returns whether the app context is still to be finished.
    private func abandon(_ obstacle: Obstacle) -> Bool {
        switch obstacle {
        case .receiver(let error):
            guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return false }
            self.leave()
            self.appContext.undoPush(error, site: self.site)
            return false
        case .opening(let error):
            self.layers.unbindRequest()
            self.requestIsUndone.store(true, ordering: .releasing)
            self.request?.undoPush(error, site: self.site)
            return true
        }
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
        let hasAsyncHooks = self.keptApp._withUnsafeGuaranteedRef { app in
            (self.ownsApp && app.hasAsyncAppHooks) || (self.isRequest && app.hasAsyncRequestHooks)
        }
        return hasAsyncHooks || (self.isPushedInto && self.layers.leftovers.contains { $0.needsAsync })
    }

    /// Whether an imperative push is left in the scope.
    private var isPushedInto: Bool { self.keptLayers._withUnsafeGuaranteedRef { $0.pushCount > 0 } }

    /// Whether the end of an app context calls anything of the user's while it is current.
    private var callsAppHooks: Bool {
        self.keptApp._withUnsafeGuaranteedRef { $0.hasHandlers } || Signals.appContextTearingDown.hasReceivers
    }

    /// Whether the first half of a finish calls anything of the user's, which must see the contexts as the current ones.
    private var callsUser: Bool {
        self.callsAppHooks || self.isPushedInto || Signals.requestTearingDown.hasReceivers
    }

    /// Unwinds and pops. Returns what hooks and receivers threw. Async hooks must not be there.
    func finish(_ outcome: Outcome) -> [any Error] {
        var errors: [any Error] = []
        let isUnwound =
            self.callsUser
            ? self.scope.run { self.unwindNow(outcome, &errors) }
            : self.unwindNow(outcome, &errors)
        if isUnwound { self.conclude(outcome, &errors) }
        return errors
    }

    /// The first half of a finish: unwinds and runs the hooks, and adds what they threw. The caller runs in the scope, unless
    /// there is nothing to call. Returns false when the scope is finished already.
    func unwindNow(_ outcome: Outcome, _ errors: inout [any Error]) -> Bool {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            scope.run { ending.runHooks() }
            scope.closeLayers()
            self.layers.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        if self.isRequest, let request = self.request, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(.request(request), outcome: outcome, site: self.site)
            ending.runHooks()
            self.layers.unbindRequest()
            ending.finish(&errors)
        }
        guard self.ownsApp else { return true }
        if self.callsAppHooks {
            var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            ending.runHooks()
            ending.moveErrors(to: &errors)
        } else {
            self.appContext.beginQuietPop(outcome)
        }
        return true
    }

    /// The second half of a finish: the contexts are no longer current. Adds what receivers threw.
    func conclude(_ outcome: Outcome, _ errors: inout [any Error]) {
        self.leave()
        if self.ownsApp { self.appContext.concludePop(outcome, site: self.site, &errors) }
    }

    /// Unwinds and pops, with async hooks shielded from cancellation. Returns what hooks and receivers threw.
    @discardableResult
    package nonisolated(nonsending) func finish(_ outcome: Outcome) async -> [any Error] {
        var errors: [any Error] = []
        let isUnwound =
            if self.callsUser {
                await self.scope.run { () async in await self.unwind(outcome, &errors) }
            } else {
                // No hook, so no async one.
                self.unwindNow(outcome, &errors)
            }
        if isUnwound { self.conclude(outcome, &errors) }
        return errors
    }

    /// The first half of a finish, as its sync twin does, with async hooks.
    nonisolated(nonsending) func unwind(_ outcome: Outcome, _ errors: inout [any Error]) async -> Bool {
        guard self.callsUser else { return self.unwindNow(outcome, &errors) }
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return false }
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            await scope.run { await ending.runHooks() }
            scope.closeLayers()
            self.layers.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        if self.isRequest, let request = self.request, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(.request(request), outcome: outcome, site: self.site)
            await ending.runHooks()
            self.layers.unbindRequest()
            ending.finish(&errors)
        }
        guard self.ownsApp else { return true }
        var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
        await ending.runHooks()
        ending.moveErrors(to: &errors)
        return true
    }

    /// Finishes in a housekeeping task: for a caller that cannot wait, such as a `deinit`.
    package func finishLater(_ outcome: Outcome) {
        guard !self.isFinished.load(ordering: .acquiring) else { return }
        Task.detached(name: "contrail housekeeping") { await self.finish(outcome) }
    }

    /// The leftover on top, with the scope in which its hooks see it as current: not every caller is the owner.
    private func nextLeftover() -> (ContextPush, Scope)? {
        self.layers.top.map { push in
            (push, push.scope(showing: self.layers.visibleToOwner, of: self.layers, branch: self.scope.branch))
        }
    }

    private func leave() {
        self.keptLayers._withUnsafeGuaranteedRef { $0.close() }
        self.claim.release()
    }
}
