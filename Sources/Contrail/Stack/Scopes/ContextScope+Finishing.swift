// How a scope ends: what was left in it unwinds, the hooks run, and the contexts pop.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

extension ContextScope {
    /// Whether a hook would run now that only an async caller can run: on the way out, or for what was left pushed.
    var needsAsync: Bool {
        let hasAsyncHooks = self.keptApp._withUnsafeGuaranteedRef { app in
            (self.ownsApp && app.hasAsyncAppHooks) || (self.isRequest && app.hasAsyncRequestHooks)
        }
        return hasAsyncHooks || (self.isPushedInto && self.leftovers.contains { $0.needsAsync })
    }

    @inline(__always)
    var signals: Signals.All { self.keptApp._withUnsafeGuaranteedRef { $0.signals } }

    /// Whether an imperative push is left in the scope.
    private var isPushedInto: Bool { self.pushCount > 0 }

    /// Whether the end of an app context calls anything of the user's while it is current.
    private var callsAppHooks: Bool {
        self.ownsApp
            && (self.keptApp._withUnsafeGuaranteedRef { $0.hasAppHooks }
                || self.signals.appContextTearingDown.hasReceivers)
    }

    /// Whether the end of a request calls anything of the user's.
    private var callsRequestHooks: Bool {
        self.isRequest
            && (self.keptApp._withUnsafeGuaranteedRef { $0.hasHandlers }
                || self.signals.requestTearingDown.hasReceivers)
    }

    /// Whether the first half of a finish calls anything of the user's, which must see the contexts as the current ones.
    private var callsUser: Bool {
        self.callsAppHooks || self.callsRequestHooks || self.isPushedInto
    }

    /// How far the first half of a finish has come.
    enum Unwinding {
        /// Somebody else does it.
        case none
        /// The app context is still pushed, and its pop is to be counted at once: nothing of the user's is called at it, nor was
        /// since the time, if there is one.
        case quiet(since: UInt64?)
        /// The pop of the app context has begun, or there is none.
        case begun
    }

    /// Unwinds and pops. Returns what hooks and receivers threw. Async hooks must not be there.
    func finish(_ outcome: Outcome) -> [any Error] {
        self.begin() ? self.finishNow(outcome) : []
    }

    /// Unwinds and pops, for the one who is to finish the scope.
    func finishNow(_ outcome: Outcome) -> [any Error] {
        var errors: [any Error] = []
        let unwinding =
            self.callsUser
            ? self.run { self.unwindNow(outcome, &errors) }
            : self.unwindNow(outcome, &errors)
        self.conclude(unwinding, outcome, &errors)
        return errors
    }

    /// Whether the caller is the one to finish the scope.
    private func begin() -> Bool {
        !self.isFinished.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// The first half of a finish: unwinds and runs the hooks, and adds what they threw. The caller runs in the scope, unless
    /// there is nothing to call, and is the one to finish it.
    func unwindNow(_ outcome: Outcome, _ errors: inout [any Error]) -> Unwinding {
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            scope.run { ending.runHooks() }
            scope.closeLayers()
            self.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        var time: UInt64?
        if let borrowed = self.borrowedRequest, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(borrowing: borrowed, outcome: outcome, owner: self.owner, site: self.site)
            ending.runHooks()
            self.unbindRequest()
            time = ending.finish(&errors)
        }
        guard self.ownsApp else { return .begun }
        guard self.callsAppHooks else { return .quiet(since: time) }
        var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, owner: self.owner, site: self.site)
        ending.runHooks()
        ending.moveErrors(to: &errors)
        return .begun
    }

    /// The second half of a finish: the contexts are no longer current. Adds what receivers threw.
    @inline(__always)
    func conclude(_ unwinding: Unwinding, _ outcome: Outcome, _ errors: inout [any Error]) {
        switch unwinding {
        case .none: return
        case .quiet(let time):
            self.concludeQuietly(since: time, outcome, &errors)?.end()
        case .begun:
            self.leave()
            guard self.ownsApp else { return }
            let time = self.appContext.app.timeToNote
            self.appContext.concludePop(outcome, of: self.owner, at: time, site: self.site, &errors)
        }
    }

    /// The second half of a finish at whose pop nothing of the user's is called. Returns the unit that is over with it when only the
    /// context was asked for it: the caller's to end, once the scope is unbound.
    @inline(__always)
    func concludeQuietly(since time: UInt64?, _ outcome: Outcome, _ errors: inout [any Error]) -> WorkUnit? {
        let endsMadeUnit = self.ownsUnit && self.hasMadeUnit
        if endsMadeUnit { self.leave() } else { self.close() }
        return self.borrowedContext._withUnsafeGuaranteedRef { context in
            context.popQuietly(
                outcome,
                of: self.owner,
                at: time,
                endsUnit: self.ownsUnit && !endsMadeUnit,
                // What the request left there says more.
                isLastHere: !self.isRequest,
                site: self.site,
                &errors
            )
        }
    }

    /// Unwinds and pops, with async hooks shielded from cancellation. Returns what hooks and receivers threw.
    @discardableResult
    package nonisolated(nonsending) func finish(_ outcome: Outcome) async -> [any Error] {
        self.begin() ? await self.finishAwaited(outcome) : []
    }

    /// Unwinds and pops, with async hooks, for the one who is to finish the scope.
    nonisolated(nonsending) func finishAwaited(_ outcome: Outcome) async -> [any Error] {
        var errors: [any Error] = []
        let scope: Scope = self
        let unwinding =
            if self.callsUser {
                await scope.run { () async in await self.unwind(outcome, &errors) }
            } else {
                // No hook, so no async one.
                self.unwindNow(outcome, &errors)
            }
        self.conclude(unwinding, outcome, &errors)
        return errors
    }

    /// The first half of a finish, as its sync twin does, with async hooks.
    nonisolated(nonsending) func unwind(_ outcome: Outcome, _ errors: inout [any Error]) async -> Unwinding {
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            await scope.run { await ending.runHooks() }
            scope.closeLayers()
            self.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        var time: UInt64?
        if let request = self.request, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(.request(request), outcome: outcome, owner: self.owner, site: self.site)
            await ending.runHooks()
            self.unbindRequest()
            time = ending.finish(&errors)
        }
        guard self.ownsApp else { return .begun }
        guard self.callsAppHooks else { return .quiet(since: time) }
        var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, owner: self.owner, site: self.site)
        await ending.runHooks()
        ending.moveErrors(to: &errors)
        return .begun
    }

    /// Finishes in a housekeeping task: for a caller that cannot wait, such as a `deinit`.
    package func finishLater(_ outcome: Outcome) {
        guard !self.isFinished.load(ordering: .acquiring) else { return }
        Task.detached(name: "contrail housekeeping") { await self.finish(outcome) }
    }

    /// The leftover on top, with the scope in which its hooks see it as current: not every caller is the owner.
    private func nextLeftover() -> (ContextPush, Scope)? {
        self.top.map { push in
            (push, push.scope(showing: self.visibleToOwner, of: self, branch: self.branch))
        }
    }

    func leave() {
        self.close()
        guard self.ownsUnit else { return }
        if let unit = self.madeUnit ?? self.appContext.lifetime.endReservedUnit() {
            if let worker { worker.releaseUnit(unit) } else { unit.end() }
        }
    }
}
