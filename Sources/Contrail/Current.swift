// The readers: what is current here.

internal import ContextVariables
internal import ContrailRecorder
public import HTTPTypes

/// What is current where the caller runs: in its task, in a child of it, or on its thread.
///
/// Every access looks it up again; take the context that a closure form gives you where you need it more than once. The
/// properties cannot know the place of their caller; ``here(fileID:line:)`` can, and has the same ones.
public enum Current {
    /// The current app; throws ``ContextError/Code/outsideAppContext``, `contextEnded` or `borrowOutlived`.
    public static var app: App {
        get throws(ContextError) { try Reader(site: .unknown).app }
    }

    /// The namespace of the current app context; throws ``ContextError/Code/outsideAppContext``, `contextEnded` or
    /// `borrowOutlived`.
    public static var g: ContextNamespace {
        get throws(ContextError) { try Reader(site: .unknown).g }
    }

    /// The object that the app made for the current app context beside `g`, as a type; throws what ``g`` throws, and
    /// ``ContextError/Code/wrongType``.
    public static func namespace<Namespace: Sendable>(
        as type: Namespace.Type,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> Namespace {
        let site = Site(fileID: fileID, line: line)
        return try Reader(site: site).appContext.namespace(as: type, fileID: fileID, line: line)
    }

    /// The current request; throws ``ContextError/Code/outsideRequestContext``, `contextEnded` or `borrowOutlived`.
    public static var request: HTTPRequest {
        get throws(ContextError) { try Reader(site: .unknown).request }
    }

    /// The session of the current request; throws ``ContextError/Code/outsideRequestContext``, `contextEnded`,
    /// `borrowOutlived` or `sessionNotOpened`.
    public static var session: App.Session {
        get throws(ContextError) { try Reader(site: .unknown).session }
    }

    /// The current app context, or `nil`. Never throws; a context that has ended is `nil`, and leaves a `stale_read`.
    public static var context: AppContext? {
        try? Reader(site: .unknown).optionalAppContext
    }

    /// The current request context, or `nil`. Never throws; a context that has ended is `nil`, and leaves a `stale_read`.
    public static var requestContext: App.RequestContext? {
        try? Reader(site: .unknown).optionalRequestContext
    }

    /// The readers with the caller's place, which errors and the trail then name: `try Current.here().g`.
    public static func here(fileID: StaticString = #fileID, line: UInt = #line) -> Reader {
        Reader(site: Site(fileID: fileID, line: line))
    }

    /// Writes a mark to the trail of the current context, to be found later. Take its name from a small
    /// set; at most 128 bytes are kept. Does nothing outside a context.
    public static func mark(_ name: String, fileID: StaticString = #fileID, line: UInt = #line) {
        let site = Site(fileID: fileID, line: line)
        guard let layers = ContextLayers.here else { return }
        let visible = layers.visible
        guard layers.appEndedError(for: visible, site) == nil, let app = visible.app?.app else { return }
        app.record(context: visible.ordinal, unit: Scope.current?.unit) { recorder, head in
            recorder.recordMark(head, name: app.recordedName(name), site: site)
        }
    }

    /// The readers, at a known place.
    public struct Reader: Sendable {
        let site: Site

        /// The current app, as ``Current/app``.
        public var app: App {
            get throws(ContextError) { try self.appContext.app }
        }

        /// The namespace of the current app context, as ``Current/g``.
        public var g: ContextNamespace {
            get throws(ContextError) { try self.appContext.g }
        }

        /// The current request, as ``Current/request``.
        public var request: HTTPRequest {
            get throws(ContextError) { try self.requestContext("request").request }
        }

        /// The session of the current request, as ``Current/session``.
        public var session: App.Session {
            get throws(ContextError) { try self.requestContext("session").session }
        }

        /// The current app context; throws what ``app`` throws.
        public var appContext: AppContext {
            get throws(ContextError) {
                if let context = try self.optionalAppContext { return context }
                throw self.outside(.outsideAppContext, "app context", "withAppContext")
            }
        }

        /// The current request context; throws what ``request`` throws.
        public var requestContext: App.RequestContext {
            get throws(ContextError) { try self.requestContext("request context") }
        }

        var optionalAppContext: AppContext? {
            get throws(ContextError) {
                if let context = ContextLayers.plain({ $0.base.app }) { return context }
                guard let layers = ContextLayers.here else { return nil }
                let visible = layers.visible
                if let error = layers.appEndedError(for: visible, self.site) { throw error }
                return visible.app
            }
        }

        var optionalRequestContext: App.RequestContext? {
            get throws(ContextError) {
                if let context = ContextLayers.plain({ $0.boundRequest }) { return context }
                guard let layers = ContextLayers.here else { return nil }
                let visible = layers.visible
                if let error = layers.appEndedError(for: visible, self.site) { throw error }
                if let error = layers.requestEndedError(for: visible, self.site) { throw error }
                return visible.request
            }
        }

        private func requestContext(_ what: String) throws(ContextError) -> App.RequestContext {
            if let context = try self.optionalRequestContext { return context }
            throw self.outside(.outsideRequestContext, what, "withRequestContext or a server's middleware")
        }

        private func outside(_ code: ContextError.Code, _ what: String, _ remedy: String) -> ContextError {
            let place =
                Scope.current?.unit?.worker.description
                ?? (ExecutionID.isInTask ? "this task" : ThreadState.current.worker.description)
            let last = LastContext.onThisThread.map { "; \($0)" } ?? ""
            return ContextError(
                code,
                "no \(what) is current on \(place): enter one with \(remedy)\(last)",
                site: self.site
            )
        }
    }
}

/// Whether an app context is current here. Never throws (`HLP-01`).
public func hasAppContext() -> Bool { Current.context != nil }

/// Whether a request context is current here. Never throws (`HLP-01`).
public func hasRequestContext() -> Bool { Current.requestContext != nil }

/// Adds a function that gets the response of the current request alone: ``App/RequestContext/afterThisRequest(_:fileID:line:_:)``.
///
/// Throws ``ContextError/Code/outsideRequestContext`` where no request is current (`HLP-02`).
public func afterThisRequest(
    _ name: String? = nil,
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ handle: @escaping @Sendable (App.RequestContext, App.Response) throws -> App.Response
) throws(ContextError) {
    try Current.here(fileID: fileID, line: line).requestContext
        .afterThisRequest(name, fileID: fileID, line: line, handle)
}

extension ContextLayers.Visible {
    /// The innermost context with the place of its last lifetime's push, for messages.
    var name: String {
        if let request { return "\(request), pushed at \(request.lifetime.current.site)," }
        if let app { return "<AppContext of \(app.app.name)>, pushed at \(app.lifetime.current.site)," }
        return "the context"
    }

    /// The lifetime to which events here belong: the request's, or else the app context's.
    var ordinal: TrailEvent.ContextOrdinal? {
        let ordinal = self.request?.lifetime.ordinal ?? self.app?.lifetime.ordinal ?? 0
        return ordinal == 0 ? nil : ordinal
    }
}

extension ContextLayers {
    /// The error for a reader of the app context when what it would see has ended; the trail gets a problem then.
    func appEndedError(for visible: Visible, _ site: Site) -> ContextError? {
        if self.isClosed { return self.staleError(site) }
        guard visible.app === self.base.app else { return nil }
        if let borrowed = self.borrowed, !borrowed.isLive(self.base) { return self.outlivedError(borrowed, site) }
        guard let appSource else { return nil }
        return appSource.appEndedError(for: visible, site)
    }

    /// The error for a reader of the request when that was taken or borrowed from something that has ended.
    func requestEndedError(for visible: Visible, _ site: Site) -> ContextError? {
        if self.isClosed { return self.staleError(site) }
        guard let request = visible.request else { return nil }
        if request === self.base.request, let borrowed = self.borrowed, !borrowed.isLive(self.base) {
            return self.outlivedError(borrowed, site)
        }
        guard let requestSource, request === self.outerRequest else { return nil }
        return requestSource.requestEndedError(for: visible, site)
    }

    private func staleError(_ site: Site) -> ContextError {
        self.endedError(
            .staleRead,
            .contextEnded,
            "has ended: wait for child tasks before the scope closes, or hand them what they need",
            site
        )
    }

    private func outlivedError(_ borrowed: Borrowed, _ site: Site) -> ContextError {
        self.endedError(
            .borrowOutlived,
            .borrowOutlived,
            "was borrowed, and its owner has ended it: take values along for work that outlives it",
            site == Site.unknown ? borrowed.site : site
        )
    }

    private func endedError(_ kind: EventKind, _ code: ContextError.Code, _ why: String, _ site: Site) -> ContextError {
        let message = "\(self.base.name) \(why)"
        let lifetime = self.base.request?.lifetime.current ?? self.base.app?.lifetime.current ?? Lifetime()
        self.base.app?.app.recordProblem(
            FlightRecorder.Finding(
                kind: kind,
                other: self.base.app.flatMap { Self.readerOrdinal(beside: self.base.ordinal, in: $0.app) },
                message: message,
                site: site,
                ownerSite: lifetime.site,
                ageNanoseconds: lifetime.age
            ),
            context: self.base.ordinal,
            unit: Scope.readerUnit
        )
        return ContextError(code, message, site: site)
    }
}

extension ContextLayers.Borrowed {
    /// Whether the lifetimes that were borrowed are still running.
    func isLive(_ base: ContextLayers.Visible) -> Bool {
        Self.isLive(base.app?.lifetime.identity, self.appIdentity)
            && Self.isLive(base.request?.lifetime.identity, self.requestIdentity)
    }

    /// An identity of 0 was read from a context that was ending just then.
    private static func isLive(_ running: UInt64?, _ identity: UInt64) -> Bool {
        guard let running else { return true }
        return identity != 0 && running == identity
    }
}
