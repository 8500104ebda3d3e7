// What a request of the order desk holds: a connection in `g`, and a price list that it loads once.

internal import ContextVariables
internal import Contrail
internal import GRDB

/// The request's connection.
enum ConnectionKey: NamespaceKey {
    typealias Value = DatabaseQueue
    static let name = "connection"
}

/// The order that the request is about.
enum OrderIDKey: NamespaceKey {
    typealias Value = Int64
    static let name = "order_id"
}

/// The price list, loaded at most once in a request however many of its tasks ask.
let priceList = RecyclableVariable<[String: Int]>("price_list")

/// The current request's connection, opened at its first use. A teardown hook closes it.
func connection(to orders: OrderDatabase) throws -> DatabaseQueue {
    let g = try Current.g
    if let open = g[ConnectionKey.self] { return open }
    let connection = try orders.connect()
    g[ConnectionKey.self] = connection
    return connection
}

/// The price of an item in cents; `nil` when it is not sold.
func price(of item: String, in orders: OrderDatabase) async throws -> Int? {
    let prices = try await priceList.getOrLoad {
        try await connection(to: orders).read { database in
            let rows = try Row.fetchAll(database, sql: "SELECT item, cents FROM price")
            return Dictionary(uniqueKeysWithValues: rows.map { ($0["item"] as String, $0["cents"] as Int) })
        }
    }
    return prices[item]
}
