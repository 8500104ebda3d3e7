// Registering what runs when contexts end.

internal import ContrailRecorder

extension App {
    /// Registers a hook that runs when a lifetime of an app context ends, in reverse order of registration.
    ///
    /// A hook that throws stops nothing: the others run, and the errors are collected. A hook registered while a teardown
    /// runs is not part of it (`TD-01`, `TD-08`, `TD-10`). Throws ``ContextError/Code/setupFinished`` after the app's first
    /// request (`TD-13`).
    public func teardownAppContext(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (AppContext, Outcome) throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { $0.add(TeardownHook(name, site, in: self, hook)) }
    }

    /// Registers an async hook that runs, shielded from cancellation, when a lifetime of an app context ends.
    ///
    /// With an async hook registered, a synchronous `pop()` throws ``ContextError/Code/asyncHooks`` before any effect.
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func teardownAppContext(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (AppContext, Outcome) async throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { $0.add(TeardownHook(name, site, in: self, async: hook)) }
    }

    /// Registers a hook that runs when a lifetime of a request context ends, in reverse order of registration, before the
    /// hooks of the app context.
    ///
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func teardownRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (RequestContext, Outcome) throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { $0.add(TeardownHook(name, site, in: self, hook)) }
    }

    /// Registers an async hook that runs, shielded from cancellation, when a lifetime of a request context ends.
    ///
    /// With an async hook registered, a synchronous `pop()` throws ``ContextError/Code/asyncHooks`` before any effect.
    /// Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func teardownRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ hook: @escaping @Sendable (RequestContext, Outcome) async throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { $0.add(TeardownHook(name, site, in: self, async: hook)) }
    }

    /// Registers a function that closes what the request itself holds, such as uploaded files.
    ///
    /// It runs at the end of every teardown of a request context, after `request_tearing_down`; what it throws is collected
    /// (`REQ-06`). Throws ``ContextError/Code/setupFinished`` after the app's first request.
    public func closeRequest(
        _ name: String? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ close: @escaping @Sendable (RequestContext) throws -> Void
    ) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        try self.register(site) { $0.closing.append(Handler(name: name ?? site.description, body: .sync(close))) }
    }
}
