// The closure form of a request context.

public import ContextVariables
public import HTTPTypes

/// Runs the closure with a request context as the current one, on the current app context of `app` or on one of its own.
///
/// Teardown runs when the closure returns or throws: the request's hooks, then those of an app context of its own. Errors
/// leave as with ``withAppContext(_:worker:fileID:line:_:)``. The worker recycles, unless the app says otherwise.
///
/// - Parameters:
///   - app: The app that becomes current.
///   - request: The request's head.
///   - worker: The worker that handles the request; by default the thread, or none in a task.
///   - operation: Gets the context.
@inlinable
public func withRequestContext<Result, Failure: Error>(
    _ app: App,
    _ request: HTTPRequest,
    worker: Worker? = nil,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: (App.RequestContext) throws(Failure) -> Result
) throws(Failure) -> Result {
    if let refusal = ClosureScope.refusal(app, isRequest: true, fileID: fileID, line: line),
        let refusal = refusal as? Failure
    {
        throw refusal
    }
    let scope = ClosureScope.enter(app, request, worker: worker, fileID: fileID, line: line)
    return try scope.use { () throws(Failure) in try scope.withRequest(operation) }
}

/// Runs the closure, on the caller's actor, with a request context as the current one.
///
/// Teardown runs when the closure returns or throws, also when the task is cancelled; async hooks are shielded from the
/// cancellation. Everything else is as with the synchronous form.
///
/// - Parameters:
///   - app: The app that becomes current.
///   - request: The request's head.
///   - worker: The worker that handles the request; by default the thread, or none in a task.
///   - operation: Gets the context.
@inlinable
public nonisolated(nonsending) func withRequestContext<Result, Failure: Error>(
    _ app: App,
    _ request: HTTPRequest,
    worker: Worker? = nil,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: nonisolated(nonsending) (App.RequestContext) async throws(Failure) -> Result
) async throws(Failure) -> Result {
    let scope = ClosureScope.enter(app, request, worker: worker, fileID: fileID, line: line)
    return try await scope.use { () async throws(Failure) in try await operation(scope.request) }
}
