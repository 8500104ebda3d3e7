// Readers that stay, and deaths in the middle: neither grows a trail nor breaks it.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Synchronization
import Testing

extension RetentionTests {
    @Suite("Retention that is disturbed")
    struct LongReaderTests {
        private static let cap = 5 << 19

        /// Whether something is over, for those who work on until it is.
        private final class Switch: Sendable {
            private let flag = Mutex(false)
            var isOn: Bool { self.flag.withLock { $0 } }

            func turnOn() { self.flag.withLock { $0 = true } }
        }

        @Test(
            "Another program's reader cannot grow the log past the cap: what does not fit is dropped with a count, until it goes",
            .timeLimit(.minutes(10))
        )
        func foreignReader() async throws {
            let directory = try TemporaryTrail()
            let log = LineLog()
            let trail = try directory.open(
                capacity: 2048,
                interval: .milliseconds(1),
                retention: .init(cap: Self.cap),
                logger: log.logger
            )
            let traffic = try Traffic(trail)
            await traffic.requests(0..<100)
            let reader = try directory.connection()
            try await reader.writeWithoutTransaction { database in
                try database.execute(sql: "BEGIN")
                _ = try Int.fetchOne(database, sql: "SELECT count(*) FROM event")
            }
            var largest = 0
            var number = 100
            while trail.status.degradation != .overCap || trail.recorder.accounting.dropped == 0 {
                await traffic.burst(number..<number + 20)
                number += 20
                largest = max(largest, directory.size(rings: [trail.ringPath]))
            }
            #expect(trail.status.isLogTooLong)
            await traffic.burst(number..<number + 2000)
            largest = max(largest, directory.size(rings: [trail.ringPath]))
            #expect(largest <= Self.cap + Self.cap / 20, "\(largest) bytes")
            try await reader.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
            await trail.flush()
            #expect(trail.status.degradation == nil)
            #expect(!trail.status.isLogTooLong)
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored + accounting.dropped + accounting.torn)
            trail.close()
            let told = try directory.integer("SELECT sum(detail ->> '$.count') FROM events WHERE kind = 'drop'")
            #expect(told == Int(accounting.dropped))
            #expect(log.lines.contains { $0.contains("more than its share") })
            #expect(log.lines.contains { $0.contains("reached its cap") && $0.contains("end the reader") })
            #expect(log.lines.contains { $0.contains("being written again") })
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("Readers that overlap without a pause do not keep the log from beginning anew", .timeLimit(.minutes(10)))
        func overlappingReaders() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: Self.cap))
            let traffic = try Traffic(trail)
            await traffic.requests(0..<500)
            let done = Switch()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 {
                    let reader = try directory.connection()
                    group.addTask {
                        while !done.isOn {
                            _ = try await reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM contexts") }
                        }
                    }
                }
                await traffic.requests(500..<2500)
                done.turnOn()
                try await group.waitForAll()
            }
            #expect(directory.size(rings: [trail.ringPath]) <= Self.cap + Self.cap / 20)
            #expect(trail.recorder.accounting.dropped == 0)
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test(
            "A query of this process that is in the way for too long is interrupted, and told why",
            .timeLimit(.minutes(10))
        )
        func ownReader() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: .init(cap: Self.cap, readerPatience: .milliseconds(100)))
            let traffic = try Traffic(trail)
            await traffic.requests(0..<300)
            let pool = QueryPool(path: directory.path, connections: 1)
            defer { pool.close() }
            let answered = Switch()
            async let answer: StoreError? = {
                defer { answered.turnOn() }
                do throws(StoreError) {
                    let sql =
                        "SELECT count(*) FROM events AS a, events AS b, events AS c WHERE a.seq + b.seq + c.seq < 0"
                    _ = try await pool.run(sql, limits: QueryLimits(time: .seconds(10)))
                    return nil
                } catch {
                    return error
                }
            }()
            var number = 300
            while !answered.isOn {
                await traffic.requests(number..<number + 50)
                number += 50
            }
            let error = await answer
            #expect(error?.code == .queryTimeout)
            #expect(error?.message.contains("log") == true, "\(error?.message ?? "no error")")
            trail.close()
        }

        @Test("A slice that fails in its middle leaves nothing of itself, and is done again")
        func failingSlice() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(capacity: 1024, interval: .milliseconds(1), retention: .init(cap: Self.cap))
            let traffic = try Traffic(trail)
            await traffic.requests(0..<500)
            let other = try directory.connection()
            try await other.write {
                try $0.execute(
                    sql: "CREATE TRIGGER stop BEFORE DELETE ON batch BEGIN SELECT RAISE(ABORT, 'not now'); END"
                )
            }
            var number = 500
            while trail.status.degradation == nil {
                await traffic.burst(number..<number + 20)
                number += 20
            }
            #expect(try directory.integer("SELECT count(*) FROM anchor") == 0)
            #expect(try directory.integer("SELECT min(id) FROM event") == 1)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            try await other.write { try $0.execute(sql: "DROP TRIGGER stop") }
            await traffic.requests(number..<number + 2000)
            #expect(try RetentionStatus(path: directory.path).slices > 0)
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored + accounting.dropped + accounting.torn)
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        /// Fills a trail far past its cap and is killed while its drain drops and writes.
        private static func die(at path: String) {
            do {
                let configuration = TrailStore.Configuration(
                    recorder: .init(capacity: 4096),
                    durability: .group(.milliseconds(1)),
                    retention: .init(cap: Self.cap)
                )
                let trail = try TrailStore(path: path, app: "shop", configuration: configuration)
                let traffic = try Traffic(trail)
                var number = 0
                while trail.recorder.accounting.stored < 15_000 {
                    traffic.request(number)
                    number += 1
                }
                kill(getpid(), SIGKILL)
            } catch {
                print("cannot prepare the death: \(error)")
            }
            exit(1)
        }

        @Test(
            "A process that is killed while retention works leaves a trail that verifies, and that goes on",
            .timeLimit(.minutes(10))
        )
        func killed() async throws {
            let directory = try TemporaryTrail()
            let path = directory.path
            for _ in 0..<3 {
                await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in Self.die(at: path) }
                #expect(try TrailVerifier(path: path).run().finding == nil)
                let recovered = try TrailStore.recover(path: path)
                #expect(recovered.count == 1)
                #expect(recovered.first?.failure == nil)
                #expect(try TrailVerifier(path: path).run().finding == nil)
            }
            #expect(try RetentionStatus(path: path).slices > 10)
            #expect(directory.size(rings: []) <= Self.cap + Self.cap / 20)
        }
    }
}
