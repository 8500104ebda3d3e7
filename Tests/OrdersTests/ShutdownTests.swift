// The end in order: SIGTERM while clients are in the middle of something.

import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Stopped by SIGTERM")
    struct ShutdownTests {
        @Test("Requests in flight finish, the trail is written to its end, and the status is 0 within 5 seconds")
        func inFlight() async throws {
            try await OrdersService.with { service in
                try await service.order()
                // A connection that is kept alive without a request must not hold the service up.
                let (size, posted, begin) = try await HTTPConnection.open(port: service.port) { idle in
                    _ = try await idle.send(.GET, "/orders")
                    return try await Self.stop(service)
                }
                let ending = try await service.program.waitForExit(within: .seconds(5))
                #expect(ContinuousClock.now - begin < .seconds(5))
                #expect(ending == .exited(0), "\(service.program.errors.text)")
                #expect(posted == 201)
                #expect(size >= 16 << 20)
                #expect(service.program.errors.text.isEmpty)
                try await Self.checkTrail(service)
            }
        }

        @Test("SIGINT ends the service like SIGTERM")
        func interrupt() async throws {
            try await OrdersService.with { service in
                try await service.order()
                service.program.send(SIGINT)
                #expect(try await service.program.waitForExit(within: .seconds(5)) == .exited(0))
                #expect(try await SQLiteShell.lines("SELECT end_state FROM runs", in: service.trail) == ["clean"])
            }
        }

        @Test("A reader who is in the way does not keep the service from ending in time, with nothing lost")
        func busyReader() async throws {
            try await OrdersService.with { service in
                try await service.order()
                try await service.settle()
                let ending = try await SQLiteShell.holdingSnapshot(of: service.trail) {
                    // The reader's snapshot is older than what follows.
                    try await service.order()
                    return try await service.stop()
                }
                #expect(ending == .exited(0))
                let sql = "SELECT end_state, (SELECT count(*) FROM contexts WHERE outcome = 'ok') FROM runs"
                #expect(try await SQLiteShell.lines(sql, in: service.trail) == ["clean|4"])
            }
        }

        /// Sends SIGTERM while a slow client reads the report and another has sent half of an order, and lets both
        /// go on.
        private static func stop(
            _ service: OrdersService
        ) async throws -> (reportSize: Int, posted: Int, begin: ContinuousClock.Instant) {
            // The kernel takes little for a client that does not read, so the service cannot have written everything.
            try await HTTPConnection.open(port: service.port, receiveBuffer: 65_536) { reader in
                try await reader.sendHead(.GET, "/report")
                try await reader.sendEnd()
                _ = try await reader.readHead()
                var size = 0
                while size < 4 << 20, let chunk = try await reader.readChunk() { size += chunk.readableBytes }
                let order = [#"{"item":"coffee","#, #""quantity":3}"#]
                let (posted, begin) = try await HTTPConnection.open(port: service.port) { poster in
                    try await poster.sendHead(.POST, "/orders", bodyLength: order.joined().utf8.count)
                    try await poster.sendBody(order[0])
                    try await Self.waitUntilOpen(["/orders", "/report"], in: service)
                    let begin = ContinuousClock.now
                    service.program.send(SIGTERM)
                    try await poster.sendBody(order[1])
                    try await poster.sendEnd()
                    return (try await poster.readAnswer().status, begin)
                }
                while let chunk = try await reader.readChunk() { size += chunk.readableBytes }
                return (size, posted, begin)
            }
        }

        private static func waitUntilOpen(_ paths: [String], in service: OrdersService) async throws {
            let sql = "SELECT path FROM contexts WHERE kind = 'request' AND outcome = 'open' ORDER BY path"
            try await eventually("\(paths) are open", within: .seconds(10)) {
                try await service.postmortem.lines(sql) == paths ? () : nil
            }
        }

        /// Asks the file, which nobody has open any more.
        private static func checkTrail(_ service: OrdersService) async throws {
            // No lock of the run, and no write-ahead log with anything in it: the file alone is the whole trail.
            let files = try service.trailFiles
            #expect(!files.contains { $0.contains("-run-") })
            let log = try? Data(contentsOf: URL(fileURLWithPath: service.trail + "-wal"))
            #expect(log?.isEmpty ?? true)
            let alone = service.directory.path("alone.sqlite")
            try FileManager.default.copyItem(atPath: service.trail, toPath: alone)
            let questions = [
                ("SELECT end_state, ended_at >= started_at FROM runs", ["clean|1"]),
                ("SELECT kind FROM events ORDER BY seq DESC LIMIT 1", ["run_end"]),
                ("SELECT max(seq) - count(*), sum(kind = 'run_end'), sum(kind = 'drop') FROM events", ["0|1|0"]),
                ("SELECT at FROM events WHERE kind = 'run_end' AND at <> (SELECT ended_at FROM runs)", []),
                (
                    "SELECT method, path, outcome FROM contexts WHERE kind = 'request' ORDER BY method, path",
                    ["GET|/orders|ok", "GET|/report|ok", "POST|/orders|ok", "POST|/orders|ok"]
                ),
                ("SELECT count(*) FROM contexts WHERE outcome = 'open'", ["0"]),
            ]
            for (sql, answer) in questions {
                #expect(try await SQLiteShell.lines(sql, in: alone) == answer, "\(sql)")
            }
        }
    }
}
