// Registering what turns errors into responses.

internal import ContrailRecorder

extension App {
    /// Registers a function that answers HTTP errors of a code, and with 500 also every error that nobody handles; that one
    /// is in ``Abort/original`` then (`LIF-07`).
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func errorHandler(
        code: Int,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Abort) throws -> Response
    ) throws(ContextError) {
        try self.addErrorHandler(
            .code(code),
            name,
            Site(fileID: fileID, line: line),
            .sync { context, error in
                guard let abort = error as? Abort else { throw error }
                return try handle(context, abort)
            }
        )
    }

    /// Registers an async function that answers HTTP errors of a code. Everything else is as with its synchronous twin.
    public func errorHandler(
        code: Int,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Abort) async throws -> Response
    ) throws(ContextError) {
        try self.addErrorHandler(
            .code(code),
            name,
            Site(fileID: fileID, line: line),
            .async { context, error in
                guard let abort = error as? Abort else { throw error }
                return try await handle(context, abort)
            }
        )
    }

    /// Registers a function that answers errors of a type. Of several that match the one registered last is called.
    ///
    /// One for ``Abort`` also answers every error that nobody handles, if no function is registered for the code 500 (`LIF-07`).
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func errorHandler<Failure: Error>(
        for type: Failure.Type,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Failure) throws -> Response
    ) throws(ContextError) {
        let match = ErrorHandler.Match.error { $0 is Failure }
        try self.addErrorHandler(
            match,
            name,
            Site(fileID: fileID, line: line),
            .sync { context, error in
                guard let error = error as? Failure else { throw error }
                return try handle(context, error)
            }
        )
    }

    /// Registers an async function that answers errors of a type. Everything else is as with its synchronous twin.
    public func errorHandler<Failure: Error>(
        for type: Failure.Type,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Failure) async throws -> Response
    ) throws(ContextError) {
        let match = ErrorHandler.Match.error { $0 is Failure }
        try self.addErrorHandler(
            match,
            name,
            Site(fileID: fileID, line: line),
            .async { context, error in
                guard let error = error as? Failure else { throw error }
                return try await handle(context, error)
            }
        )
    }

    /// Registers a function that answers the errors that `matches` picks. Of several that match the one registered last is
    /// called.
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func errorHandler(
        where matches: @escaping @Sendable (any Error) -> Bool,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, any Error) throws -> Response
    ) throws(ContextError) {
        try self.addErrorHandler(.error(matches), name, Site(fileID: fileID, line: line), .sync(handle))
    }

    /// Registers an async function that answers the errors that `matches` picks. Everything else is as with its synchronous
    /// twin.
    public func errorHandler(
        where matches: @escaping @Sendable (any Error) -> Bool,
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, any Error) async throws -> Response
    ) throws(ContextError) {
        try self.addErrorHandler(.error(matches), name, Site(fileID: fileID, line: line), .async(handle))
    }

    /// How an error handler is called, once its kind of error is found.
    private enum Answer {
        case sync(@Sendable (RequestContext, any Error) throws -> Response)
        case async(@Sendable (RequestContext, any Error) async throws -> Response)
    }

    private func addErrorHandler(
        _ match: ErrorHandler.Match,
        _ name: String?,
        _ site: Site,
        _ answer: Answer
    ) throws(ContextError) {
        let body: Handler<(RequestContext, any Error), Response>.Body =
            switch answer {
            case .sync(let handle): .sync { try handle($0.0, $0.1) }
            case .async(let handle): .async { try await handle($0.0, $0.1) }
            }
        let handler = ErrorHandler(match: match, handler: Handler(name: name ?? site.description, body: body))
        try self.register(site) { $0.add(handler) }
    }
}
