// The async closure forms: enter, run, finish, and which error leaves.

internal import ContextVariables
internal import ContrailRecorder

extension ContextScope {
    /// Ends the binding of a scope, which holds it, and finishes it. Returns what hooks and receivers threw, if any did.
    static func finish(bound scope: Unmanaged<ContextScope>, _ outcome: Outcome) -> [any Error]? {
        var errors: [any Error] = []
        let unwinding = scope._withUnsafeGuaranteedRef { $0.unwindNowOrLater(outcome, &errors) }
        if case .quiet(let time) = unwinding, scope._withUnsafeGuaranteedRef({ $0.concludesQuietly }) {
            // Nothing of the user's is called, so that nobody sees whether it is still bound. That may be the end of the scope.
            let unit = scope._withUnsafeGuaranteedRef { $0.concludeQuietly(since: time, outcome, &errors) }
            Scope.unbind()
            unit?.end()
        } else {
            let scope = scope.takeUnretainedValue()
            Scope.unbind()
            scope.conclude(unwinding, outcome, &errors)
        }
        return errors.isEmpty ? nil : errors
    }

    /// Whether the second half of a finish calls nothing of the user's: no receiver, no value's end, no encoding of `g`.
    @inline(__always)
    private var concludesQuietly: Bool {
        !self.signals.appContextPopped.hasReceivers && !self.hasMadeUnit
            && self.borrowedContext._withUnsafeGuaranteedRef { $0.touchedNamespace == nil }
    }

    // Nobody else knows the scope of a closure form, so that nobody else can have finished it.
    func unwindNowOrLater(_ outcome: Outcome, _ errors: inout [any Error]) -> Unwinding {
        if self.needsAsync {
            self.finishLater(outcome)
            return .none
        }
        return self.unwindNow(outcome, &errors)
    }

    /// Enters, runs the closure on the caller's actor and finishes. Errors leave as with the sync twin (``ClosureScope``).
    nonisolated(nonsending) func use<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await self.enter(orFailWith: Failure.self)
        let value: Result
        do {
            value = try await Scope.storage.withValue(self) { try await operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            let error = error as! Failure
            let outcome = Outcome(error: error)
            _ = self.needsAsync ? await self.finishAwaited(outcome) : self.finishNow(outcome)
            throw error
        }
        let errors = self.needsAsync ? await self.finishAwaited(.ok) : self.finishNow(.ok)
        if !errors.isEmpty { try self.fail(errors, as: Failure.self) }
        return value
    }

    /// Throws what teardown threw, if `Failure` can carry it. Apart, for the optional in it.
    @inline(never)
    private func fail<Failure: Error>(_ errors: [any Error], as type: Failure.Type) throws(Failure) {
        if let error = ContextError.teardownFailed(errors, self.site) as? Failure { throw error }
    }
}

extension ContextError {
    /// What teardown throws when hooks or receivers threw.
    static func teardownFailed(_ errors: [any Error], _ site: Site) -> ContextError {
        ContextError(
            .teardownFailed,
            "teardown ran to its end, and \(errors.count) of its steps threw: look into `errors`",
            errors: errors,
            site: site
        )
    }

    /// What a synchronous call throws when a hook is async.
    static func asyncHooks(_ app: App, _ site: Site) -> ContextError {
        ContextError(
            .asyncHooks,
            "the app \(app.name) has an async teardown hook: use the async form with await",
            site: site
        )
    }
}
