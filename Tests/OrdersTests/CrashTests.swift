// The end in disorder: kill -9 while contexts are open.

import Foundation
import NIOCore
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Killed")
    struct CrashTests {
        private static let open = "SELECT context_id, kind FROM contexts WHERE outcome = 'open' ORDER BY context_id"

        @Test("The next start marks the run crashed and its open contexts died, and leaves the others alone")
        func killed() async throws {
            try await TemporaryDirectory.with { directory in
                let first = try await OrdersService.start(in: directory)
                let (open, ended) = try await Self.kill(first)
                #expect(open.map { $0.split(separator: "|").last } == ["app", "request"])
                #expect(try first.trailFiles.contains { $0.contains("-run-") })
                // Nobody has said yet that it is over.
                let before = try await SQLiteShell.lines("SELECT run_id, end_state FROM runs", in: first.trail)
                #expect(before == ["1|running"])

                let second = try await OrdersService.start(in: directory)
                defer { second.program.send(SIGKILL) }
                try await second.order()
                try await second.settle()
                let questions = [
                    ("SELECT run_id, end_state FROM runs ORDER BY run_id", ["1|crashed", "2|running"]),
                    (Self.open.replacingOccurrences(of: "open", with: "died"), open),
                    (Self.ended, ended),
                    ("SELECT count(*) FROM contexts WHERE outcome = 'died' AND popped_at IS NOT NULL", ["0"]),
                    ("SELECT count(*) FROM contexts WHERE run_id = 2", ["2"]),
                    (
                        "SELECT ended_at - (SELECT max(at) FROM events WHERE run_id = 1) FROM runs WHERE run_id = 1",
                        ["0"]
                    ),
                    ("SELECT count(*) FROM events WHERE run_id = 1 AND kind = 'run_end'", ["0"]),
                    ("SELECT max(seq) - count(*) FROM events GROUP BY run_id", ["0", "0"]),
                ]
                for (sql, answer) in questions {
                    #expect(try await second.postmortem.lines(sql) == answer, "over HTTP: \(sql)")
                    #expect(try await SQLiteShell.lines(sql, in: second.trail) == answer, "in the shell: \(sql)")
                }
                #expect(try second.trailFiles.filter { $0.contains("-run-") }.count == 1)
                #expect(try await second.stop() == .exited(0))
                let runs = try await SQLiteShell.lines("SELECT end_state FROM runs ORDER BY run_id", in: second.trail)
                #expect(runs == ["crashed", "clean"])
            }
        }

        private static let ended = """
            SELECT * FROM contexts WHERE run_id = 1 AND outcome NOT IN ('open', 'died') ORDER BY context_id
            """

        /// Kills the service while a client has stopped in the middle of the report. Gives the open contexts, and all
        /// that is known of those that had ended.
        private static func kill(_ service: OrdersService) async throws -> (open: [String], ended: [String]) {
            defer { service.program.send(SIGKILL) }
            let id = try await service.order()
            for target in ["/orders/\(id)", "/orders/\(id + 1)", "/boom?order=7", "/leak"] {
                _ = try await service.send(.GET, target)
            }
            _ = try await service.send(.POST, "/orders/\(id)/ship")
            try await service.settle()
            return try await HTTPConnection.open(port: service.port, receiveBuffer: 65_536) { reader in
                try await reader.sendHead(.GET, "/report")
                try await reader.sendEnd()
                _ = try await reader.readHead()
                _ = try await reader.readChunk()
                let open = try await eventually("the report is in the trail", within: .seconds(10)) {
                    let open = try await service.postmortem.lines(Self.open)
                    return open.count == 2 ? open : nil
                }
                let ended = try await service.postmortem.lines(Self.ended)
                service.program.send(SIGKILL)
                #expect(try await service.program.waitForExit(within: .seconds(5)) == .signalled(SIGKILL))
                return (open, ended)
            }
        }
    }
}
