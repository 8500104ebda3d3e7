// Several processes that write one trail at the same time.

import Foundation
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Several at once")
    struct SharedTrailTests {
        @Test("Two services write one trail, and a third start takes neither for dead")
        func shared() async throws {
            try await TemporaryDirectory.with { directory in
                // Both find no trail and make it.
                async let left = OrdersService.start(in: directory, orders: "left.sqlite")
                async let right = OrdersService.start(in: directory, orders: "right.sqlite")
                var services = try await [left, right]
                defer { for service in services { service.program.send(SIGKILL) } }
                try await Self.order([30, 20], from: services)
                try await Self.check([30, 20], of: services, states: ["running", "running"])

                // One of them has a request open when the third begins.
                try await HTTPConnection.open(port: services[0].port, receiveBuffer: 65_536) { reader in
                    try await reader.sendHead(.GET, "/report")
                    try await reader.sendEnd()
                    _ = try await reader.readHead()
                    try await Self.waitForOpenContexts(2, in: services[0])
                    services.append(try await OrdersService.start(in: directory, orders: "third.sqlite"))
                    try await Self.waitForOpenContexts(2, in: services[2])
                    let lines = try await services[2].postmortem.lines("SELECT end_state FROM runs")
                    #expect(lines == ["running", "running", "running"])
                }
                for service in services { try await service.settle() }

                // The next start knows which of them died.
                services[1].program.send(SIGKILL)
                try await services[1].program.waitForExit(within: .seconds(5))
                services.append(try await OrdersService.start(in: directory, orders: "fourth.sqlite"))
                let dead = try await Self.runID(of: services[1], in: services[3])
                let states = "SELECT run_id FROM runs WHERE end_state = 'crashed'"
                #expect(try await services[3].postmortem.lines(states) == [dead])

                for index in [0, 2, 3] { #expect(try await services[index].stop() == .exited(0)) }
                let ends = "SELECT end_state, count(*) FROM runs GROUP BY end_state ORDER BY end_state"
                #expect(try await SQLiteShell.lines(ends, in: services[0].trail) == ["clean|3", "crashed|1"])
                #expect(try services[0].trailFiles.filter { $0.contains("-run-") }.isEmpty)
            }
        }

        /// Sends so many orders to each of the services, all at the same time.
        private static func order(_ counts: [Int], from services: [OrdersService]) async throws {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (count, service) in zip(counts, services) {
                    group.addTask { for _ in 0..<count { try await service.order() } }
                }
                try await group.waitForAll()
            }
            for service in services { try await service.settle() }
        }

        /// Every service sees both runs, complete and apart.
        private static func check(_ counts: [Int], of services: [OrdersService], states: [String]) async throws {
            let requests = """
                SELECT r.pid, r.end_state, count(*) FROM contexts AS c JOIN runs AS r ON r.run_id = c.run_id
                WHERE c.kind = 'request' AND c.outcome = 'ok' GROUP BY r.pid, r.end_state
                """
            let expected = zip(zip(counts, services), states)
                .map { "\($0.1.program.processID)|\($1)|\($0.0)" }
            for service in services {
                #expect(try await service.postmortem.lines(requests).sorted() == expected.sorted())
                let gaps = "SELECT max(seq) - count(*), count(DISTINCT seq) - count(*) FROM events GROUP BY run_id"
                #expect(try await service.postmortem.lines(gaps) == ["0|0", "0|0"])
                #expect(try await SQLiteShell.lines(requests, in: service.trail).sorted() == expected.sorted())
            }
        }

        private static func runID(of service: OrdersService, in witness: OrdersService) async throws -> String {
            let sql = "SELECT run_id FROM runs WHERE pid = \(service.program.processID)"
            return try #require(try await witness.postmortem.lines(sql).first)
        }

        private static func waitForOpenContexts(_ count: Int, in service: OrdersService) async throws {
            let sql = "SELECT count(*) FROM contexts WHERE outcome = 'open'"
            try await eventually("\(count) contexts are open", within: .seconds(10)) {
                try await service.postmortem.lines(sql) == ["\(count)"] ? () : nil
            }
        }
    }
}
