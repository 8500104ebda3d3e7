// The service as a process under test.

import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport

/// A running `Orders` and how to talk to it.
struct OrdersService: Sendable {
    let program: Program
    let port: Int
    let directory: TemporaryDirectory

    /// The trail's file.
    var trail: String { self.directory.path(Self.trailName) }

    /// The postmortem service that is mounted in it.
    var postmortem: PostmortemClient { PostmortemClient(port: self.port, prefix: "/_contrail") }

    static let trailName = "contrail.sqlite"

    /// Starts the service and waits until it listens.
    static func start(in directory: TemporaryDirectory, orders: String = "orders.sqlite") async throws -> OrdersService
    {
        let program = try Program(
            "Orders",
            ["--port", "0", "--database", orders, "--trail", Self.trailName],
            in: directory
        )
        return OrdersService(program: program, port: try await program.listeningPort(), directory: directory)
    }

    /// Runs the closure with a service in a directory of its own, which is killed afterwards if it still runs.
    static func with<Result>(_ body: (OrdersService) async throws -> Result) async throws -> Result {
        try await TemporaryDirectory.with { directory in
            let service = try await Self.start(in: directory)
            defer { service.program.send(SIGKILL) }
            return try await body(service)
        }
    }

    /// Sends one request on a connection of its own.
    func send(_ method: HTTPMethod, _ target: String, body: String? = nil) async throws -> HTTPAnswer {
        try await HTTPConnection.open(port: self.port) { try await $0.send(method, target, body: body) }
    }

    /// Orders one tea and gives the id of the order.
    @discardableResult
    func order() async throws -> Int64 {
        let answer = try await self.send(.POST, "/orders", body: #"{"item":"tea","quantity":1}"#)
        guard answer.status == 201, let id = try answer.json["id"].integer else {
            throw TestSupportError("POST /orders answered \(answer.status)")
        }
        return id
    }

    /// Waits until every context has ended and everything recorded is stored.
    func settle(within limit: Duration = .seconds(30)) async throws {
        try await eventually("no context is open and nothing is buffered", within: limit, every: .milliseconds(50)) {
            let open = try await self.postmortem.lines("SELECT count(*) FROM contexts WHERE outcome = 'open'")
            let recorder = try await self.postmortem.recorder()
            return open == ["0"] && recorder["buffered"] == 0 ? () : nil
        }
    }

    /// Stops the service in order.
    func stop() async throws -> Program.Ending {
        self.program.send(SIGTERM)
        return try await self.program.waitForExit(within: .seconds(5))
    }

    /// The files beside the trail that belong to it, without the trail itself.
    var trailFiles: [String] {
        get throws { try self.directory.names.filter { $0.hasPrefix("\(Self.trailName)-") } }
    }
}
