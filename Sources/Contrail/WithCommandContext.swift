// App contexts for commands and for functions: only where none is current, and as a wrapper.

internal import ContextVariables
internal import ContrailRecorder

/// Runs the closure with an app context of `app` current, and pushes one only if none of that app is (`CTX-19`).
///
/// For command-line commands, which may be called alone or from inside another. A context that was there already stays; one
/// that was pushed ends with the closure. Errors leave as with ``withAppContext(_:worker:fileID:line:_:)``.
public func withCommandContext<Result, Failure: Error>(
    _ app: App,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: (AppContext) throws(Failure) -> Result
) throws(Failure) -> Result {
    if let context = Current.context, context.app === app { return try operation(context) }
    return try withAppContext(app, fileID: fileID, line: line) { context throws(Failure) in try operation(context) }
}

/// Runs the closure, on the caller's actor, with an app context of `app` current. Everything else is as with the
/// synchronous form.
public nonisolated(nonsending) func withCommandContext<Result, Failure: Error>(
    _ app: App,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: nonisolated(nonsending) (AppContext) async throws(Failure) -> Result
) async throws(Failure) -> Result {
    if let context = Current.context, context.app === app { return try await operation(context) }
    return try await withAppContext(app, fileID: fileID, line: line) { context async throws(Failure) in
        try await operation(context)
    }
}

extension App {
    /// Makes a function that runs in an app context of its own each time it is called: the decorator form of
    /// ``withAppContext(_:worker:fileID:line:_:)``.
    ///
    /// ```swift
    /// let sendMail = app.wrapping { (to: String) in try deliver(to, from: Current.app.config["sender"]) }
    /// ```
    public func wrapping<each Argument, Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: @escaping @Sendable (repeat each Argument) throws -> Result
    ) -> @Sendable (repeat each Argument) throws -> Result {
        { (arguments: repeat each Argument) throws -> Result in
            try withAppContext(self, fileID: fileID, line: line) { _ throws -> Result in
                try operation(repeat each arguments)
            }
        }
    }

    /// Makes an async function that runs in an app context of its own each time it is called.
    public func wrapping<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: @escaping @Sendable () async throws -> Result
    ) -> @Sendable () async throws -> Result {
        {
            try await withAppContext(self, fileID: fileID, line: line) { _ async throws -> Result in
                try await operation()
            }
        }
    }

    /// Makes an async function of one argument that runs in an app context of its own each time it is called.
    public func wrapping<Argument, Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: @escaping @Sendable (Argument) async throws -> Result
    ) -> @Sendable (Argument) async throws -> Result {
        { argument in
            try await withAppContext(self, fileID: fileID, line: line) { _ async throws -> Result in
                try await operation(argument)
            }
        }
    }
}
