// Two thousand requests of eight clients, and what their trail says.

import Foundation
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Under load")
    struct LoadTests {
        @Test("The trail of 2,000 mixed requests has exact answers, over HTTP and in the sqlite3 shell")
        func load() async throws {
            try await OrdersService.with { service in
                let tally = try await Self.run(on: service.port)
                #expect(tally.requests == 2000)
                #expect(tally.count("aborted") == 50)
                #expect(Set(tally.reportSizes).count == 1 && tally.reportSizes.allSatisfy { $0 >= 16 << 20 })

                try await Self.settle(service, after: tally)
                let questions = LoadQuestions(tally: tally, leakSite: try Self.leakSite()).all
                for question in questions {
                    let answer = try await service.postmortem.lines(question.sql)
                    #expect(answer == question.answer, "over HTTP: \(question.name)")
                }
                for question in questions {
                    let answer = try await SQLiteShell.lines(question.sql, in: service.trail)
                    #expect(answer == question.answer, "in the shell: \(question.name)")
                }
                try await Self.checkAccounting(service)
                #expect(try await service.stop() == .exited(0))
            }
        }

        private static func run(on port: Int) async throws -> LoadTally {
            var generator = SeededGenerator(for: "load")
            let plan = LoadPlan(using: &generator)
            return try await withThrowingTaskGroup(of: LoadTally.self) { group in
                for share in plan.shares {
                    group.addTask { try await LoadClient.run(share, port: port) }
                }
                return try await group.reduce(into: LoadTally()) { $0.add($1) }
            }
        }

        /// Waits until the last job has begun and everything has ended. What was counted wrong shows in the answers.
        private static func settle(_ service: OrdersService, after tally: LoadTally) async throws {
            let ended = "SELECT count(*) FROM contexts WHERE kind = 'request' AND outcome <> 'open'"
            let jobs = "SELECT count(*) FROM contexts WHERE worker = 'job:ship/0' AND outcome <> 'open'"
            try await eventually("requests and jobs end", within: .seconds(60), every: .milliseconds(50)) {
                let counts = try await service.postmortem.lines("SELECT (\(ended)), (\(jobs))")
                return counts == ["\(tally.requests)|\(tally.jobs)"] ? () : nil
            }
            try await service.settle()
        }

        /// The figures of the service itself agree with what the trail holds.
        private static func checkAccounting(_ service: OrdersService) async throws {
            let recorder = try await service.postmortem.recorder()
            let (produced, stored) = try (#require(recorder["produced"].integer), #require(recorder["stored"].integer))
            let (dropped, buffered) = try (
                #require(recorder["dropped"].integer), #require(recorder["buffered"].integer)
            )
            #expect(produced == stored + dropped + buffered)
            let counts = try await service.postmortem.lines("SELECT max(seq), count(*) FROM events")
            #expect(counts == ["\(produced)|\(stored)"])
        }

        /// The line of the push that is never popped, as the source has it now.
        private static func leakSite(of test: String = #filePath) throws -> String {
            let package = URL(fileURLWithPath: test).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent()
            let source = package.appendingPathComponent("Examples/Orders/OrderDesk.swift")
            let lines = try String(contentsOf: source, encoding: .utf8).components(separatedBy: "\n")
            let index = try #require(lines.firstIndex { $0.contains("AppContext(self.app).push()") })
            return "Orders/OrderDesk.swift:\(index + 1)"
        }
    }
}
