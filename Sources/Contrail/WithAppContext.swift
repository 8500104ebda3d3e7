// The closure form of an app context.

public import ContextVariables

/// Runs the closure with a new app context of `app` as the current one.
///
/// Teardown runs when the closure returns or throws. The closure's error leaves as it is. An error of a signal's receiver or
/// of a hook leaves when the closure may throw any error, and is in the trail in every case. With an async hook registered,
/// use the async form. Child tasks inherit the context; `Task.detached`, Dispatch and NIO callbacks do not.
///
/// - Parameters:
///   - app: The app that becomes current.
///   - worker: The worker whose unit of work this is part of; by default the unit around it.
///   - operation: Gets the context.
@inlinable
public func withAppContext<Result, Failure: Error>(
    _ app: App,
    worker: Worker? = nil,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: (AppContext) throws(Failure) -> Result
) throws(Failure) -> Result {
    if let refusal = ClosureScope.refusal(app, isRequest: false, fileID: fileID, line: line),
        let refusal = refusal as? Failure
    {
        throw refusal
    }
    let scope = ClosureScope.enter(app, worker: worker, fileID: fileID, line: line)
    return try scope.use { () throws(Failure) in try scope.withContext(operation) }
}

/// Runs the closure, on the caller's actor, with a new app context of `app` as the current one.
///
/// Teardown runs when the closure returns or throws, also when the task is cancelled; async hooks are shielded from the
/// cancellation. Errors leave as with the synchronous form.
///
/// - Parameters:
///   - app: The app that becomes current.
///   - worker: The worker whose unit of work this is part of; by default the unit around it.
///   - operation: Gets the context.
@inlinable
public nonisolated(nonsending) func withAppContext<Result, Failure: Error>(
    _ app: App,
    worker: Worker? = nil,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: nonisolated(nonsending) (AppContext) async throws(Failure) -> Result
) async throws(Failure) -> Result {
    let scope = ClosureScope.enter(app, worker: worker, fileID: fileID, line: line)
    return try await scope.use { () async throws(Failure) in try await operation(scope.context) }
}
