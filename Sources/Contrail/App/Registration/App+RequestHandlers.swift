// Registering what runs before and after the view of a request.

internal import ContrailRecorder

extension App {
    /// Registers a function that runs first in a dispatch, with ``RequestContext/endpoint`` and ``RequestContext/viewArgs``
    /// known; it may change the latter (`LIF-01`).
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func urlValuePreprocessor(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ process: @escaping @Sendable (RequestContext) throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) {
            $0.preprocessors.append(Handler(name: name ?? site.description, body: .sync(process)))
        }
    }

    /// Registers a function that runs before the view, in order of registration, also when no route matched. The first that
    /// returns a response answers the request: those after it and the view are skipped (`LIF-01` to `LIF-03`).
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func beforeRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext) throws -> Response?
    ) throws(ContextError) {
        try self.addBefore(name, Site(fileID: fileID, line: line), .sync(handle))
    }

    /// Registers an async function that runs before the view. Everything else is as with its synchronous twin.
    public func beforeRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext) async throws -> Response?
    ) throws(ContextError) {
        try self.addBefore(name, Site(fileID: fileID, line: line), .async(handle))
    }

    /// Registers a function that runs before the view, in one order with those of `beforeRequest`, and never answers the
    /// request itself.
    ///
    /// It has a name of its own: whether a closure that is longer than a line returns nothing or a response that was forgotten
    /// the compiler cannot tell.
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func prepareRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext) throws -> Void
    ) throws(ContextError) {
        let body: Handler<RequestContext, Response?>.Body = .sync { context in
            try handle(context)
            return nil
        }
        try self.addBefore(name, Site(fileID: fileID, line: line), body)
    }

    /// Registers an async function that runs before the view and never answers the request itself.
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func prepareRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext) async throws -> Void
    ) throws(ContextError) {
        let body: Handler<RequestContext, Response?>.Body = .async { context in
            try await handle(context)
            return nil
        }
        try self.addBefore(name, Site(fileID: fileID, line: line), body)
    }

    /// Registers a function that gets every response and gives the one to go on with, in reverse order of registration
    /// (`LIF-04`).
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func afterRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Response) throws -> Response
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { handlers in
            handlers.add(after: Handler(name: name ?? site.description, body: .sync { try handle($0.0, $0.1) }))
        }
    }

    /// Registers an async function that gets every response. Everything else is as with its synchronous twin.
    public func afterRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ handle: @escaping @Sendable (RequestContext, Response) async throws -> Response
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { handlers in
            handlers.add(after: Handler(name: name ?? site.description, body: .async { try await handle($0.0, $0.1) }))
        }
    }

    private func addBefore(
        _ name: String?,
        _ site: Site,
        _ body: Handler<RequestContext, Response?>.Body
    ) throws(ContextError) {
        try self.register(site) { $0.add(before: Handler(name: name ?? site.description, body: body)) }
    }
}
