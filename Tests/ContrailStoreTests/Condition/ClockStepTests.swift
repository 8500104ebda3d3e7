// A wall clock that somebody sets while a trail is written.

import Contrail
import ContrailStore
import GRDB
import Synchronization
import Testing

@Suite("A clock that is set")
struct ClockStepTests {
    /// A wall clock that can be set, on top of a monotonic one.
    private final class SettableClock: Sendable {
        private let offset = Atomic<Int64>(1_800_000_000_000_000)
        private let start = ContinuousClock.now

        var microseconds: Int64 {
            self.offset.load(ordering: .relaxed) + Int64((ContinuousClock.now - self.start) / .microseconds(1))
        }

        func set(by microseconds: Int64) { self.offset.wrappingAdd(microseconds, ordering: .relaxed) }
    }

    @Test("Each step above 50 ms is an event with its size, and the times of events never run backwards")
    func steps() async throws {
        let directory = try TemporaryTrail()
        let clock = SettableClock()
        let trail = try directory.open { $0.wallClock = { clock.microseconds } }
        let app = App("shop", recorder: trail.recorder)
        let steps: [Int64] = [-3_600_000_000, 30_000, 7_200_000_000]
        for step in [0] + steps {
            clock.set(by: step)
            for _ in 0..<10 { withAppContext(app) { _ in } }
            await trail.flush()
        }
        trail.close()
        let found = try directory.rows(
            "SELECT detail ->> '$.step_us', detail ->> '$.offset_us' FROM events WHERE kind = 'clock_step'"
        )
        let pairs = found.map { row in [row[0] as Int64, row[1] as Int64] }
        #expect(pairs.count == 2)
        // The two clocks are not read in the same instant; 30 ms are no step, and part of the next.
        let expected: [[Int64]] = [[-3_600_000_000, -3_600_000_000], [7_200_030_000, 3_600_030_000]]
        for (pair, expected) in zip(pairs, expected) {
            for (value, expected) in zip(pair, expected) { #expect(abs(value - expected) < 20_000) }
        }
        let back = "SELECT count(*) FROM (SELECT at - lag(at) OVER (ORDER BY seq) AS step FROM events) WHERE step < 0"
        #expect(try directory.integer(back) == 0)
        #expect(try directory.integer("SELECT (max(at) - min(at)) < 600000000 FROM events") == 1)
        #expect(try TrailVerifier(path: directory.path).run().finding?.message == nil)
    }
}
