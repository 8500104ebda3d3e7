// Flask's global names, for those who come from there.

public import Contrail
public import HTTPTypes

/// The current app: Flask's `current_app`. Throws what ``Current/app`` throws (`PRX-01`).
public var currentApp: App {
    get throws(ContextError) { try Current.app }
}

/// The namespace of the current app context. Throws what ``Current/g`` throws (`PRX-01`).
public var g: ContextNamespace {
    get throws(ContextError) { try Current.g }
}

/// The context of the current request: Flask's `request`, with its `args`, `viewArgs`, `endpoint` and `path`. Throws what
/// ``Current/request`` throws (`PRX-01`).
public var request: App.RequestContext {
    get throws(ContextError) { try Current.here().requestContext }
}

/// The session of the current request. Throws what ``Current/session`` throws (`PRX-01`).
public var session: App.Session {
    get throws(ContextError) { try Current.session }
}

/// Ends the view with an HTTP error: `try abort(404)` (Flask's `abort`).
public func abort(_ code: Int, _ message: String? = nil, headerFields: HTTPFields = [:]) throws(App.Abort) -> Never {
    throw App.Abort(code, message, headerFields: headerFields)
}

/// Flask's `RequestContext`.
public typealias RequestContext = App.RequestContext

/// Flask's `Response`.
public typealias Response = App.Response
