// The whole of a closure form: enter, run, finish, and which error leaves.

internal import ContextVariables
internal import ContrailRecorder

extension ContextScope {
    /// Enters, runs the closure and finishes.
    ///
    /// Ask ``refusal(of:forRequest:_:)`` first. The closure's own error always leaves as it is. An error of entering or of
    /// teardown leaves when the closure's error type can carry it, which `any Error` can; otherwise the trail alone has it
    /// and the closure runs all the same. Async hooks that were not refused on entry run on a housekeeping task afterwards.
    func use<Result, Failure: Error>(_ operation: () throws(Failure) -> Result) throws(Failure) -> Result {
        if let error = self.enter(orFailWith: Failure.self) { throw error }
        let result: Swift.Result<Result, Failure> = self.scope.run {
            do throws(Failure) { return .success(try operation()) } catch { return .failure(error) }
        }
        if self.needsAsync {
            self.finishLater(Self.outcome(of: result))
            return try result.get()
        }
        let errors = self.finish(Self.outcome(of: result))
        return try self.settle(result, errors)
    }

    /// Enters, runs the closure on the caller's actor and finishes. Errors leave as with the sync twin.
    nonisolated(nonsending) func use<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        if let error = await self.enter(orFailWith: Failure.self) { throw error }
        let result: Swift.Result<Result, Failure> = await self.scope.run {
            do throws(Failure) { return .success(try await operation()) } catch { return .failure(error) }
        }
        let errors = await self.finish(Self.outcome(of: result))
        return try self.settle(result, errors)
    }

    /// The error that refuses a synchronous closure form before any effect, when `Failure` can carry it: a hook is async.
    static func refusal<Failure: Error>(of app: App, forRequest: Bool, _ site: Site) -> Failure? {
        let ownsApp = !forRequest || ContextLayers.inheritable?.visible.app?.app !== app
        guard (ownsApp && app.hasAsyncAppHooks) || (forRequest && app.hasAsyncRequestHooks) else { return nil }
        return ContextError.asyncHooks(app, site) as? Failure
    }

    private static func outcome<Result, Failure: Error>(of result: Swift.Result<Result, Failure>) -> Outcome {
        switch result {
        case .success: .ok
        case .failure(let error): Outcome(error: error)
        }
    }

    private func settle<Result, Failure: Error>(
        _ result: Swift.Result<Result, Failure>,
        _ errors: [any Error]
    ) throws(Failure) -> Result {
        let value = try result.get()
        if !errors.isEmpty, let error = ContextError.teardownFailed(errors, self.site) as? Failure { throw error }
        return value
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
