// The postmortem service: SQL and ready-made answers about a trail, over HTTP.

public import ContrailStore
internal import HTTPTypes
public import Hummingbird

/// Answers questions about a trail over HTTP: mounted in a running service, or for the file of a dead one.
///
/// ```swift
/// Postmortem(trail).addRoutes(to: router.group("_contrail"))
/// ```
///
/// Mount it outside `ContrailMiddleware`: its own requests leave no context in the trail. It answers clients on the loopback
/// interface only, and reads through a sandboxed connection. Routes: `GET|POST v1/query`, `GET v1/runs`,
/// `GET v1/contexts/{id}`, `GET v1/stats`, `GET healthz`, `GET readyz`, `GET metrics`.
public struct Postmortem: Sendable {
    /// For what people ask.
    private let pool: QueryPool
    /// For the fixed answers, which must not wait behind what people ask.
    private let fixedPool: QueryPool
    private let trail: TrailStore?

    /// Serves the trail that this process writes.
    public init(_ trail: TrailStore) {
        self.pool = QueryPool(path: trail.path)
        self.fixedPool = QueryPool(path: trail.path, connections: 1)
        self.trail = trail
    }

    /// Serves a trail file, whether or not anybody writes it.
    public init(database path: String) {
        self.pool = QueryPool(path: path)
        self.fixedPool = QueryPool(path: path, connections: 1)
        self.trail = nil
    }

    /// Stops what is being asked and closes the connections. Later questions are refused.
    public func close() {
        self.pool.closeAndWait()
        self.fixedPool.closeAndWait()
    }

    /// Adds the routes to a group, or to a router.
    ///
    /// The request context must know the client's address, for everybody but the loopback interface is refused.
    public func addRoutes<Context: RemoteAddressRequestContext>(to group: RouterGroup<Context>) {
        let routes = group.group().add(middleware: PostmortemGuard<Context>())
        let queries = QueryRoute(pool: self.pool)
        let answers = AnswerRoutes(pool: self.fixedPool)
        let health = HealthRoute(pool: self.fixedPool, trail: self.trail)
        self.add("v1/query", [.get, .post], to: routes) { request, _ in try await queries.respond(to: request) }
        self.add("v1/runs", [.get], to: routes) { _, _ in try await answers.runs() }
        self.add("v1/contexts/{id}", [.get], to: routes) { _, context in
            try await answers.context(context.parameters.get("id") ?? "")
        }
        self.add("healthz", [.get], to: routes) { _, _ in try await health.respond() }
        let ready = ReadyRoute(pool: self.fixedPool, trail: self.trail)
        let stats = StatsRoute(trail: self.trail)
        let metrics = MetricsRoute(trail: self.trail)
        self.add("readyz", [.get], to: routes) { _, _ in try await ready.respond() }
        self.add("v1/stats", [.get], to: routes) { _, _ in stats.respond() }
        self.add("metrics", [.get], to: routes) { _, _ in metrics.respond() }
    }

    /// Adds a route for the methods it has, and a 405 for those it has not.
    private func add<Context: RequestContext>(
        _ path: RouterPath,
        _ methods: [HTTPRequest.Method],
        to routes: RouterGroup<Context>,
        _ handler: @escaping @Sendable (Request, Context) async throws -> Response
    ) {
        let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options, .trace, .connect]
        for method in known {
            if methods.contains(method) {
                routes.on(path, method: method, use: handler)
            } else {
                routes.on(path, method: method) { _, _ -> Response in throw Problem.methodNotAllowed(methods) }
            }
        }
    }
}
