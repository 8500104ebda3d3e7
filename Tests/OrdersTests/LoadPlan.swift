// What the clients of the load do, chosen at random from a seed.

import ProcessSupport

/// Exactly 2,000 requests for 8 clients.
struct LoadPlan {
    static let clients = 8

    /// One request.
    enum Action: Hashable, Sendable {
        case create
        case createRefused
        case list
        /// One of the client's own orders.
        case find(choice: UInt64)
        case findUnknown(id: Int64)
        case ship(choice: UInt64)
        case shipUnknown(id: Int64)
        case boom(id: Int64)
        case leak
        case report
        /// Reads one chunk and resets the connection.
        case reportThenReset
    }

    /// The requests of each client.
    let shares: [[Action]]

    init(using generator: inout some RandomNumberGenerator) {
        var actions: [Action] = []
        func add(_ count: Int, _ action: (Int64) -> Action) {
            for number in 0..<Int64(count) { actions.append(action(number)) }
        }
        add(552) { _ in .create }
        add(60) { _ in .createRefused }
        add(250) { _ in .list }
        add(120) { .findUnknown(id: 1_000_000 + $0) }
        add(60) { .shipUnknown(id: 2_000_000 + $0) }
        add(100) { .boom(id: 3_000_000 + $0) }
        add(94) { _ in .leak }
        add(6) { _ in .report }
        add(50) { _ in .reportThenReset }
        for _ in 0..<500 { actions.append(.find(choice: generator.next())) }
        for _ in 0..<200 { actions.append(.ship(choice: generator.next())) }
        actions.shuffle(using: &generator)
        // Every client begins with an order, so that it has one to ask for.
        self.shares = (0..<Self.clients)
            .map { client in
                [.create] + actions.indices.filter { $0 % Self.clients == client }.map { actions[$0] }
            }
    }
}
