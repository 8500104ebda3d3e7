// One client of the load.

import NIOCore
import NIOHTTP1
import ProcessSupport

/// Sends its share of the requests over keep-alive connections, and checks every answer.
struct LoadClient {
    let port: Int

    private var orders: [Int64] = []
    private var tally = LoadTally()

    init(port: Int) {
        self.port = port
    }

    /// Sends all requests. Returns what it did.
    static func run(_ actions: [LoadPlan.Action], port: Int) async throws -> LoadTally {
        var client = LoadClient(port: port)
        var remaining = actions[...]
        while !remaining.isEmpty {
            (client, remaining) = try await HTTPConnection.open(port: port) { [client, remaining] connection in
                var (client, remaining) = (client, remaining)
                while let action = remaining.popFirst() {
                    // A reset ends the connection; the next one goes on.
                    if try await client.perform(action, on: connection) == .isReset { break }
                }
                return (client, remaining)
            }
        }
        return client.tally
    }

    private enum ConnectionState {
        case isOpen
        case isReset
    }

    private mutating func perform(
        _ action: LoadPlan.Action,
        on connection: HTTPConnection
    ) async throws -> ConnectionState {
        switch action {
        case .create:
            let answer = try await connection.send(.POST, "/orders", body: #"{"item":"tea","quantity":2}"#)
            try self.check(answer, 201, action)
            guard let id = try answer.json["id"].integer else { throw TestSupportError("an order without an id") }
            self.orders.append(id)
        case .createRefused:
            let answer = try await connection.send(.POST, "/orders", body: #"{"item":"rum","quantity":1}"#)
            try self.check(answer, 422, action)
        case .list: try self.check(try await connection.send(.GET, "/orders"), 200, action)
        case .find(let choice):
            let id = self.order(choice)
            let answer = try await connection.send(.GET, "/orders/\(id)")
            try self.check(answer, 200, action)
            guard try answer.json["id"].integer == id else { throw TestSupportError("another order than \(id)") }
        case .findUnknown(let id): try self.check(try await connection.send(.GET, "/orders/\(id)"), 404, action)
        case .ship(let choice):
            let path = "/orders/\(self.order(choice))/ship"
            try self.check(try await connection.send(.POST, path), 202, action, path: path)
        case .shipUnknown(let id):
            try self.check(try await connection.send(.POST, "/orders/\(id)/ship"), 404, action)
        case .boom(let id): try self.check(try await connection.send(.GET, "/boom?order=\(id)"), 500, action)
        case .leak: try self.check(try await connection.send(.GET, "/leak"), 204, action)
        case .report: try await self.readReport(on: connection)
        case .reportThenReset:
            try await connection.sendHead(.GET, "/report")
            try await connection.sendEnd()
            _ = try await connection.readHead()
            guard try await connection.readChunk() != nil else { throw TestSupportError("an empty report") }
            try await connection.reset()
            self.tally.note(action)
            return .isReset
        }
        return .isOpen
    }

    private mutating func readReport(on connection: HTTPConnection) async throws {
        try await connection.sendHead(.GET, "/report")
        try await connection.sendEnd()
        let head = try await connection.readHead()
        var size = 0
        while let chunk = try await connection.readChunk() { size += chunk.readableBytes }
        guard head.status == .ok else { throw TestSupportError("the report answered \(head.status)") }
        self.tally.note(.report, size: size)
    }

    private func order(_ choice: UInt64) -> Int64 {
        self.orders[Int(choice % UInt64(self.orders.count))]
    }

    private mutating func check(
        _ answer: HTTPAnswer,
        _ status: Int,
        _ action: LoadPlan.Action,
        path: String = ""
    ) throws {
        guard answer.status == status else {
            throw TestSupportError("\(action) was answered with \(answer.status), not \(status)")
        }
        self.tally.note(action, path: path)
    }
}
