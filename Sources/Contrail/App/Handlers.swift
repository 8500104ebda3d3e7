// Everything that is registered with an app, as one immutable value that readers take without copying.

internal import ContrailRecorder
internal import HTTPTypes

/// A function of the user's, sync or async, with the name under which it was registered.
struct Handler<Input, Output>: Sendable {
    enum Body: Sendable {
        case sync(@Sendable (Input) throws -> Output)
        case async(@Sendable (Input) async throws -> Output)
    }

    let name: String
    let body: Body

    var isAsync: Bool {
        if case .async = self.body { true } else { false }
    }
}

/// A function that turns an error into a response.
struct ErrorHandler: Sendable {
    /// Which errors it is for.
    enum Match: Sendable {
        case code(Int)
        case error(@Sendable (any Error) -> Bool)
    }

    let match: Match
    let handler: Handler<(App.RequestContext, any Error), App.Response>
}

/// The target of a route.
final class Route: Sendable {
    let endpoint: String
    let handler: Handler<App.RequestContext, App.Response>

    init(endpoint: String, handler: Handler<App.RequestContext, App.Response>) {
        self.endpoint = endpoint
        self.handler = handler
    }
}

/// The hooks, handlers and routes of an app.
struct Handlers: Sendable {
    /// In the order in which they run.
    private(set) var appTeardown: [TeardownHook<AppContext>] = []
    /// In the order in which they run.
    private(set) var requestTeardown: [TeardownHook<App.RequestContext>] = []
    private(set) var before: [Handler<App.RequestContext, App.Response?>] = []
    /// In the order in which they run.
    private(set) var after: [Handler<(App.RequestContext, App.Response), App.Response>] = []
    private(set) var routes = RouteMap<Route>()
    private(set) var hasRoutes = false
    private var errors: [ErrorHandler] = []

    // Sync alone.
    var closing: [Handler<App.RequestContext, Void>] = []
    var preprocessors: [Handler<App.RequestContext, Void>] = []

    private(set) var hasAsyncAppTeardown = false
    private(set) var hasAsyncRequestTeardown = false
    /// Whether a dispatch would call something that only an async caller can call.
    private(set) var needsAsync = false

    mutating func add(_ hook: TeardownHook<AppContext>) {
        self.appTeardown.insert(hook, at: 0)
        self.hasAsyncAppTeardown = self.hasAsyncAppTeardown || hook.isAsync
        self.needsAsync = self.needsAsync || hook.isAsync
    }

    mutating func add(_ hook: TeardownHook<App.RequestContext>) {
        self.requestTeardown.insert(hook, at: 0)
        self.hasAsyncRequestTeardown = self.hasAsyncRequestTeardown || hook.isAsync
        self.needsAsync = self.needsAsync || hook.isAsync
    }

    mutating func add(before handler: Handler<App.RequestContext, App.Response?>) {
        self.before.append(handler)
        self.needsAsync = self.needsAsync || handler.isAsync
    }

    mutating func add(after handler: Handler<(App.RequestContext, App.Response), App.Response>) {
        self.after.insert(handler, at: 0)
        self.needsAsync = self.needsAsync || handler.isAsync
    }

    mutating func add(_ handler: ErrorHandler) {
        self.errors.append(handler)
        self.needsAsync = self.needsAsync || handler.handler.isAsync
    }

    mutating func add(
        _ route: Route,
        _ rule: String,
        _ methods: [HTTPRequest.Method],
        _ site: Site
    ) throws(ContextError) {
        do throws(RoutePattern.Flaw) {
            try self.routes.add(rule, methods: methods, endpoint: route.endpoint, payload: route)
        } catch {
            throw ContextError(error, site: site)
        }
        self.hasRoutes = true
        self.needsAsync = self.needsAsync || route.handler.isAsync
    }

    /// The route of an endpoint; the first, if there are several.
    func route(_ endpoint: String) -> Route? { self.routes.payload(of: endpoint) }

    /// The handler for an HTTP error of this code.
    func handler(for code: Int) -> ErrorHandler? {
        self.errors.last { handler in
            if case .code(code) = handler.match { true } else { false }
        }
    }

    /// The handler for an error, asked in the reverse order of registration: the one registered last wins.
    func handler(for error: any Error) -> ErrorHandler? {
        self.errors.last { handler in
            if case .error(let matches) = handler.match { matches(error) } else { false }
        }
    }
}

/// One state of what is registered. Registering makes the next one.
final class HandlerTable: Sendable {
    let handlers: Handlers

    init(_ handlers: Handlers) {
        self.handlers = handlers
    }
}
