// The readers: what is current here.

internal import ContextVariables
internal import ContrailRecorder
public import HTTPTypes

/// What is current where the caller runs: in its task, in a child of it, or on its thread.
///
/// Every access looks it up again; take the context that a closure form gives you where you need it more than once.
public enum Current {
    /// The current app; throws ``ContextError/Code/outsideAppContext``, `contextEnded` or `borrowOutlived`.
    public static var app: App {
        get throws(ContextError) { try self.appContext().app }
    }

    /// The namespace of the current app context; throws ``ContextError/Code/outsideAppContext``, `contextEnded` or
    /// `borrowOutlived`.
    public static var g: ContextNamespace {
        get throws(ContextError) { try self.appContext().g }
    }

    /// The current request; throws ``ContextError/Code/outsideRequestContext``, `contextEnded` or `borrowOutlived`.
    public static var request: HTTPRequest {
        get throws(ContextError) {
            switch self.lookup() {
            case .visible(let visible):
                if let error = ContextLayers.current?.requestEndedError(for: visible) { throw error }
                if let context = visible.request { return context.request }
                throw self.outside(.outsideRequestContext, "request", "withRequestContext or a server's middleware")
            case .nothing:
                throw self.outside(.outsideRequestContext, "request", "withRequestContext or a server's middleware")
            case .ended(let error): throw error
            }
        }
    }

    /// The current app context, or `nil`. Never throws; a context that has ended is `nil`, and leaves a `stale_read`.
    public static var context: AppContext? {
        if case .visible(let visible) = self.lookup() { visible.app } else { nil }
    }

    /// The current request context, or `nil`. Never throws; a context that has ended is `nil`, and leaves a `stale_read`.
    public static var requestContext: App.RequestContext? {
        guard case .visible(let visible) = self.lookup() else { return nil }
        return ContextLayers.current?.requestEndedError(for: visible) == nil ? visible.request : nil
    }

    /// Writes a mark to the trail of the current context, to be found later. Take its name from a small
    /// set; at most 128 bytes are kept. Does nothing outside a context.
    public static func mark(_ name: String, fileID: StaticString = #fileID, line: UInt = #line) {
        guard case .visible(let visible) = self.lookup(), let app = visible.app?.app else { return }
        app.record(
            .mark(name: app.recordedName(name), site: Site(fileID: fileID, line: line)),
            context: visible.ordinal,
            unit: Scope.current?.unit
        )
    }

    private enum Lookup {
        case visible(ContextLayers.Visible)
        case nothing
        case ended(ContextError)
    }

    private static func appContext() throws(ContextError) -> AppContext {
        switch self.lookup() {
        case .visible(let visible):
            if let context = visible.app { return context }
            throw self.outside(.outsideAppContext, "app context", "withAppContext")
        case .nothing: throw self.outside(.outsideAppContext, "app context", "withAppContext")
        case .ended(let error): throw error
        }
    }

    private static func lookup() -> Lookup {
        guard let layers = ContextLayers.current else { return .nothing }
        if let error = layers.endedError { return .ended(error) }
        return .visible(layers.visible)
    }

    private static func outside(_ code: ContextError.Code, _ what: String, _ remedy: String) -> ContextError {
        let place =
            Scope.current?.unit?.worker.description
            ?? (ExecutionID.isInTask ? "this task" : ThreadState.current.worker.description)
        return ContextError(code, "no \(what) is current on \(place): enter one with \(remedy)", site: Site())
    }
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
        let ordinal = (self.request?.lifetime ?? self.app?.lifetime)?.current.ordinal ?? 0
        return ordinal == 0 ? nil : ordinal
    }
}

extension ContextLayers {
    /// The error for a reader when what it would see has ended; the trail gets a problem then.
    var endedError: ContextError? {
        if let borrowed = self.borrowed, !borrowed.isLive(self.base) {
            return self.ended(
                .borrowOutlived,
                .borrowOutlived,
                "was borrowed, and its owner has ended it: take values along for work that outlives it"
            )
        }
        guard self.isClosed else { return self.appSource?.endedError }
        return self.ended(
            .staleRead,
            .contextEnded,
            "has ended: wait for child tasks before the scope closes, or hand them what they need"
        )
    }

    /// The error for a reader of the request when only that was taken from a scope that has ended.
    func requestEndedError(for visible: Visible) -> ContextError? {
        guard let requestSource, let request = visible.request, request === self.outerRequest else { return nil }
        return requestSource.endedError ?? requestSource.requestEndedError(for: visible)
    }

    private func ended(_ kind: EventKind, _ code: ContextError.Code, _ why: String) -> ContextError {
        let message = "\(self.base.name) \(why)"
        self.base.app?.app.record(
            .problem(TrailEvent.Problem(kind: kind, other: nil, message: message, site: Site())),
            context: self.base.ordinal,
            unit: Scope.current?.unit
        )
        return ContextError(code, message, site: Site())
    }
}

extension ContextLayers.Borrowed {
    /// Whether the lifetimes that were borrowed are still running.
    func isLive(_ base: ContextLayers.Visible) -> Bool {
        Self.isLive(base.app?.lifetime, self.appIdentity) && Self.isLive(base.request?.lifetime, self.requestIdentity)
    }

    /// An identity of 0 was read from a context that was ending just then.
    private static func isLive(_ lifetime: LifetimeState?, _ identity: UInt64) -> Bool {
        guard let lifetime else { return true }
        return identity != 0 && lifetime.identity == identity
    }
}
