// A trail never grows past its cap, whatever comes, and is as good as one that never had one.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Testing

extension RetentionTests {
    @Suite("A trail with a cap")
    struct CapTests {
        private static let cap = 4 << 20
        /// For those that need not see it under a burst.
        private static let smallCap = 5 << 19

        /// No file may ever be longer than the cap and a twentieth of it.
        private func expectBelowCap(_ size: Int, cap: Int = Self.cap) {
            #expect(size <= cap + cap / 20, "\(size) bytes")
        }

        @Test(
            "Sizes are below the cap after every batch, at ten times the load that fills it",
            .timeLimit(.minutes(10))
        )
        func burst() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(capacity: 8192, interval: .milliseconds(1), retention: .init(cap: Self.cap))
            let traffic = try Traffic(trail)
            var largest = 0
            // A steady load in small batches, then ten times as much at once, as fast as it can be recorded.
            for number in 0..<400 {
                await traffic.requests(number..<number + 3)
                largest = max(largest, directory.size(rings: [trail.ringPath]))
            }
            var last: UInt64 = 0
            var number = 2000
            while trail.recorder.accounting.stored < 35_000 {
                await traffic.burst(number..<number + 20)
                number += 20
                let stored = trail.recorder.accounting.stored
                if stored != last { largest = max(largest, directory.size(rings: [trail.ringPath])) }
                last = stored
            }
            await trail.flush()
            self.expectBelowCap(largest)
            // The cap was put to use, and much more than it holds has come.
            #expect(largest > Self.cap / 2)
            let status = try RetentionStatus(path: directory.path)
            let accounting = trail.recorder.accounting
            #expect(status.slices > 10)
            #expect(accounting.stored > 2 * UInt64(status.events))
            #expect(accounting.produced == accounting.stored + accounting.dropped + accounting.torn)
            // Retention counts what it removes, and that is all that is missing.
            #expect(UInt64(status.events + status.removedEvents) == accounting.stored)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("The oldest go first, and each slice says what went")
        func oldestFirst() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: Self.smallCap))
            try await Traffic(trail).requests(0..<2200)
            trail.close()
            let first = try #require(try directory.integer("SELECT min(context_id) FROM contexts"))
            #expect(first > 4_294_967_296 + 1000)
            // No hole: every context from the first to the last. Only a context that was open at the end of a slice may stay
            // where another that was pushed after it has gone.
            let whole = "FROM contexts WHERE context_id NOT IN (SELECT context_id FROM kept)"
            #expect(
                try directory.integer("SELECT count(*) \(whole)")
                    == directory.integer("SELECT max(context_id) - min(context_id) + 1 \(whole)")
            )
            let slices = try directory.rows(
                """
                SELECT detail ->> '$.first_id', detail ->> '$.last_id', detail ->> '$.cause', detail ->> '$.events'
                FROM events WHERE kind = 'retention' ORDER BY id
                """
            )
            #expect(slices.count > 1)
            for (slice, next) in zip(slices, slices.dropFirst()) { #expect(next[0] == (slice[1] as Int64) + 1) }
            #expect(slices.allSatisfy { $0[2] == "cap" })
            #expect(
                try directory.integer(
                    "SELECT min(id) FROM events WHERE kind <> 'retention' AND id NOT IN (SELECT event_id FROM kept)"
                )
                    == (slices.last?[1] as Int64?).map { Int($0) + 1 }
            )
        }

        @Test("Projections can be made anew after retention, and say the same")
        func reindex() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: Self.smallCap))
            let traffic = try Traffic(trail)
            try await withAppContext(traffic.app) { context async throws in
                context.g["job"] = "long"
                await traffic.requests(0..<2200)
                try? await AppContext(traffic.app).pop()
                await trail.flush()
                let contexts = try directory.rows("SELECT * FROM contexts ORDER BY 1").map(\.description)
                let problems = try directory.rows("SELECT * FROM problems ORDER BY 1").map(\.description)
                #expect(problems.count == 1)
                try Reindex.run(directory.path)
                #expect(try directory.rows("SELECT * FROM contexts ORDER BY 1").map(\.description) == contexts)
                #expect(try directory.rows("SELECT * FROM problems ORDER BY 1").map(\.description) == problems)
                #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            }
            trail.close()
        }

        @Test("Names and lanes that nothing refers to any more go as well")
        func names() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: Self.smallCap))
            for number in 0..<30_000 {
                let head = RecordHead(epoch: UInt64(number))
                trail.recorder.recordMark(head, name: "mark \(number)", site: Site())
                if number % 1000 == 999 { await trail.flush() }
            }
            trail.close()
            let events = try #require(try directory.integer("SELECT count(*) FROM events"))
            #expect(try #require(try directory.integer("SELECT count(*) FROM string")) < 3 * events)
            #expect(try directory.integer("SELECT count(*) FROM events WHERE kind = 'mark' AND name IS NULL") == 0)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("A trail that was larger before it had a cap shrinks below it")
        func shrinking() async throws {
            let directory = try TemporaryTrail()
            let large = try directory.open(retention: .unlimited)
            try await Traffic(large).requests(0..<6500)
            large.close()
            #expect(directory.size(rings: []) > 2 * Self.smallCap)
            let trail = try directory.open(retention: .init(cap: Self.smallCap))
            try await Traffic(trail).requests(6500..<8500)
            self.expectBelowCap(directory.size(rings: [trail.ringPath]), cap: Self.smallCap)
            trail.close()
            #expect(try directory.integer("SELECT count(*) FROM contexts WHERE path = '/orders/8499/lines'") == 1)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("Several runs in one database keep one cap", .timeLimit(.minutes(10)))
        func severalRuns() async throws {
            let directory = try TemporaryTrail()
            // The rings of three take a quarter of it.
            let cap = 3 << 20
            let trails = try (0..<3).map { _ in
                try directory.open(capacity: 4096, interval: .milliseconds(1), retention: .init(cap: cap))
            }
            var largest = 0
            try await withThrowingTaskGroup(of: Int.self) { group in
                for trail in trails {
                    group.addTask {
                        let traffic = try Traffic(trail)
                        var largest = 0
                        for number in 0..<100 {
                            await traffic.requests(number * 10..<number * 10 + 10)
                            largest = max(largest, directory.size(rings: trails.map(\.ringPath)))
                        }
                        return largest
                    }
                }
                for try await size in group { largest = max(largest, size) }
            }
            self.expectBelowCap(largest, cap: cap)
            for trail in trails { trail.close() }
            #expect(try RetentionStatus(path: directory.path).slices > 3)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            let last = try directory.open()
            last.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("What is old goes although there is room, and the last word stays")
        func age() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: nil, age: .milliseconds(50)))
            try await Traffic(trail).requests(0..<300)
            // Each event gives the drain another look at the age of the ones before.
            while try directory.integer("SELECT count(*) FROM contexts") ?? 0 > 0 {
                trail.recorder.recordMark(RecordHead(), name: "tick", site: Site())
                await trail.flush()
            }
            trail.close()
            #expect(try directory.integer("SELECT count(*) FROM events WHERE kind = 'retention'") ?? 0 > 0)
            #expect(
                try directory.texts("SELECT DISTINCT detail ->> '$.cause' FROM events WHERE kind = 'retention'") == [
                    "age"
                ]
            )
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }
    }
}
