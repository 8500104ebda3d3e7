// Registering routes.

internal import ContrailRecorder
public import HTTPTypes

extension App {
    /// Registers a view for the requests whose path matches a rule: `/orders/<int:id>`.
    ///
    /// A segment is static text, `<name>` or `<string:name>` (one segment that is not empty), or `<int:name>` (digits only).
    /// Throws ``ContextError/Code/invalidRule`` for a rule that makes no sense, and ``ContextError/Code/setupFinished`` after the
    /// app's first request.
    ///
    /// - Parameters:
    ///   - rule: The path, from its leading slash.
    ///   - methods: The methods that the view answers; HEAD comes with GET.
    ///   - endpoint: The name of the route; by default the rule.
    ///   - view: Gets the request context and gives the response.
    public func route(
        _ rule: String,
        methods: [HTTPRequest.Method] = [.get],
        endpoint: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ view: @escaping @Sendable (RequestContext) throws -> Response
    ) throws(ContextError) {
        try self.addRoute(rule, methods, endpoint, Site(fileID: fileID, line: line), .sync(view))
    }

    /// Registers an async view. Everything else is as with its synchronous twin.
    public func route(
        _ rule: String,
        methods: [HTTPRequest.Method] = [.get],
        endpoint: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ view: @escaping @Sendable (RequestContext) async throws -> Response
    ) throws(ContextError) {
        try self.addRoute(rule, methods, endpoint, Site(fileID: fileID, line: line), .async(view))
    }

    private func addRoute(
        _ rule: String,
        _ methods: [HTTPRequest.Method],
        _ endpoint: String?,
        _ site: Site,
        _ view: Handler<RequestContext, Response>.Body
    ) throws(ContextError) {
        let route = Route(endpoint: endpoint ?? rule, handler: Handler(name: endpoint ?? rule, body: view))
        try self.register(site) { handlers throws(ContextError) in try handlers.add(route, rule, methods, site) }
    }
}
