// How closure forms finish, and what they throw for teardown.

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
