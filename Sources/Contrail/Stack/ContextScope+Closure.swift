// The whole of a closure form: enter, run, finish, and which error leaves.

internal import ContextVariables
internal import ContrailRecorder

extension ContextScope {
    /// Enters, runs the closure and finishes.
    ///
    /// Ask ``refuse(_:forRequest:as:_:)`` first. The closure's own error always leaves as it is. An error of entering or of
    /// teardown leaves when the closure's error type can carry it, which `any Error` can; otherwise the trail alone has it
    /// and the closure runs all the same. Async hooks that were not refused on entry run on a housekeeping task afterwards.
    @inline(__always)
    func use<Result, Failure: Error>(_ operation: () throws(Failure) -> Result) throws(Failure) -> Result {
        // Nothing here is an aggregate of the caller's types: nobody specialises it, and each would cost a look-up.
        try self.enter(orFailWith: Failure.self)
        guard self.bind() else { return try self.useWrapped(operation) }
        let value: Result
        do throws(Failure) {
            value = try operation()
        } catch {
            _ = self.finishBound(Outcome(error: error))
            throw error
        }
        let errors = self.finishBound(.ok)
        if let errors { try self.fail(errors, as: Failure.self) }
        return value
    }

    /// Ends the binding and finishes. Returns what hooks and receivers threw, if any did.
    private func finishBound(_ outcome: Outcome) -> [any Error]? {
        var errors: [any Error] = []
        let unwinding = self.unwindNowOrLater(outcome, &errors)
        self.unbind()
        self.conclude(unwinding, outcome, &errors)
        return errors.isEmpty ? nil : errors
    }

    /// Runs the closure and finishes, where a binding needs a closure.
    @inline(never)
    private func useWrapped<Result, Failure: Error>(
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var errors: [any Error] = []
        var unwinding = Unwinding.none
        let value: Result
        do throws(Failure) {
            value = try self.run { () throws(Failure) in
                let value: Result
                do throws(Failure) {
                    value = try operation()
                } catch {
                    unwinding = self.unwindNowOrLater(Outcome(error: error), &errors)
                    throw error
                }
                unwinding = self.unwindNowOrLater(.ok, &errors)
                return value
            }
        } catch {
            self.conclude(unwinding, Outcome(error: error), &errors)
            throw error
        }
        self.conclude(unwinding, .ok, &errors)
        if !errors.isEmpty { try self.fail(errors, as: Failure.self) }
        return value
    }

    // Nobody else knows the scope of a closure form, so that nobody else can have finished it.
    private func unwindNowOrLater(_ outcome: Outcome, _ errors: inout [any Error]) -> Unwinding {
        if self.needsAsync {
            self.finishLater(outcome)
            return .none
        }
        return self.unwindNow(outcome, &errors)
    }

    /// Enters, runs the closure on the caller's actor and finishes. Errors leave as with the sync twin.
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

    /// Refuses a synchronous closure form before any effect, when `Failure` can carry the error: a hook is async.
    @inline(__always)
    static func refuse<Failure: Error>(
        _ app: App,
        forRequest: Bool,
        as type: Failure.Type,
        _ site: Site
    ) throws(Failure) {
        if app.hasAsyncAppHooks || app.hasAsyncRequestHooks {
            try self.refuseIfAsync(app, forRequest: forRequest, as: type, site)
        }
    }

    @inline(never)
    private static func refuseIfAsync<Failure: Error>(
        _ app: App,
        forRequest: Bool,
        as type: Failure.Type,
        _ site: Site
    ) throws(Failure) {
        let ownsApp = !forRequest || ContextLayers.inheritable?.visible.app?.app !== app
        guard (ownsApp && app.hasAsyncAppHooks) || (forRequest && app.hasAsyncRequestHooks) else { return }
        if let error = ContextError.asyncHooks(app, site) as? Failure { throw error }
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
