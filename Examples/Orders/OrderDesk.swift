// The order desk: its app with the teardown hooks, its routes, and the postmortem service beside them.

internal import Contrail
internal import ContrailHummingbird
private import ContrailServer
internal import ContrailStore
private import GRDB
internal import Hummingbird
private import NIOCore

/// What a client orders.
private struct NewOrder: Decodable {
    let item: String
    let quantity: Int
}

/// The failure of `GET /boom`.
private struct Boom: Error {}

/// The order desk.
struct OrderDesk: Sendable {
    let app: App
    let shipping: ShippingJobs

    private let orders: OrderDatabase
    private let trail: TrailStore

    init(orders: OrderDatabase, trail: TrailStore) throws {
        let app = App("orders", recorder: trail.recorder)
        self.app = app
        self.orders = orders
        self.trail = trail
        self.shipping = ShippingJobs(app: app, orders: orders)
        // They run in reverse order: the connection is closed last, for the others may still need it.
        try app.teardownAppContext("close_connection") { context, _ in try context.g[ConnectionKey.self]?.close() }
        try app.teardownAppContext("forget_order") { context, _ in context.g[OrderIDKey.self] = nil }
        try app.teardownRequest("withdraw_order") { context, outcome in
            // An order whose answer never reached the client is withdrawn: the client will send it again.
            guard case .aborted = outcome, context.request.method == .post else { return }
            guard let id = try context.g[OrderIDKey.self] else { return }
            _ = try await connection(to: orders).write { try Order.filter(key: id).deleteAll($0) }
        }
        try app.teardownRequest("note_outcome") { _, outcome in
            if let error = outcome.error { Current.mark("answered with \(type(of: error))") }
        }
    }

    /// All routes. Those of the desk run in request contexts, those of the postmortem service leave none.
    var router: Router<BasicConnectionRequestContext> {
        let router = Router(context: BasicConnectionRequestContext.self)
        Postmortem(self.trail).addRoutes(to: router.group("_contrail"))
        let desk = router.group().add(middleware: ContrailMiddleware(self.app))
        desk.post("orders") { request, context in try await self.create(request, context) }
        desk.get("orders") { _, _ in try await self.list() }
        desk.get("orders/{id}") { _, context in try await self.find(context) }
        desk.post("orders/{id}/ship") { _, context in try await self.ship(context) }
        desk.get("report") { _, _ in self.report() }
        desk.get("boom") { request, _ -> Response in try self.boom(request) }
        desk.get("leak") { _, _ in try self.leak() }
        return router
    }

    // MARK: - Routes

    private func create(
        _ request: Request,
        _ context: BasicConnectionRequestContext
    ) async throws -> EditedResponse<Order> {
        let new = try await request.decode(as: NewOrder.self, context: context)
        guard (1...1_000_000).contains(new.quantity), let cents = try await price(of: new.item, in: self.orders) else {
            throw HTTPError(.unprocessableContent, message: "\(new.item) is not sold in that quantity")
        }
        let order = try await connection(to: self.orders).write { database in
            var order = Order(item: new.item, quantity: new.quantity, cents: cents * new.quantity, shipped: false)
            try order.insert(database)
            return order
        }
        try Current.g[OrderIDKey.self] = order.id
        return EditedResponse(status: .created, response: order)
    }

    private func list() async throws -> [Order] {
        try await connection(to: self.orders).read { database in
            try Order.order(Column("id").desc).limit(20).fetchAll(database)
        }
    }

    private func find(_ context: BasicConnectionRequestContext) async throws -> Order {
        let id = try context.parameters.require("id", as: Int64.self)
        try Current.g[OrderIDKey.self] = id
        let order = try await connection(to: self.orders).read { try Order.fetchOne($0, key: id) }
        guard let order else { throw HTTPError(.notFound, message: "there is no order \(id)") }
        return order
    }

    /// Hands the order to the shipping job, which borrows the context for its first step only.
    private func ship(_ context: BasicConnectionRequestContext) async throws -> Response {
        let order = try await self.find(context)
        try await self.shipping.submit(order, borrowing: ContextSnapshot("ship"))
        return Response(status: .accepted)
    }

    /// Streams the ledger as CSV while it reads the database, on the connection that the context keeps open until the end.
    private func report() -> Response {
        let orders = self.orders
        let body = ResponseBody { writer in
            var last: Int64 = 0
            try await writer.write(ByteBuffer(string: "id,booked_at,account,cents\r\n"))
            while true {
                let (lines, next) = try await Self.ledger(after: last, in: orders)
                guard let next else { break }
                try await writer.write(lines)
                last = next
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/csv"], body: body)
    }

    private static func ledger(after last: Int64, in orders: OrderDatabase) async throws -> (ByteBuffer, Int64?) {
        try await connection(to: orders).read { database in
            let rows = try Row.fetchCursor(
                database,
                sql: "SELECT id, booked_at, account, cents FROM ledger WHERE id > ? ORDER BY id LIMIT 1000",
                arguments: [last]
            )
            var lines = ByteBuffer()
            var next: Int64?
            while let row = try rows.next() {
                next = row["id"]
                lines.writeString("\(row["id"] as Int64),\(row["booked_at"] as String),")
                lines.writeString("\(row["account"] as String),\(row["cents"] as Int)\r\n")
            }
            return (lines, next)
        }
    }

    /// Fails after it wrote to `g`.
    private func boom(_ request: Request) throws -> Response {
        try Current.g[OrderIDKey.self] = request.uri.queryParameters.get("order", as: Int64.self) ?? 0
        throw Boom()
    }

    /// Pushes an app context and forgets to pop it.
    private func leak() throws -> HTTPResponse.Status {
        try AppContext(self.app).push()
        return .noContent
    }
}
