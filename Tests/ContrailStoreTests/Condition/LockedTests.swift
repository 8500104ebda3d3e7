// A trail that another process has locked for as long as it likes.

import Contrail
import ContrailRecorder
import ContrailStore
import ProcessSupport
import Testing

@Suite("A trail that is locked", .timeLimit(.minutes(5)))
struct LockedTests {
    @Test("The ring holds what fits, the rest is counted by cause, one line says so, and it goes on by itself")
    func whileRunning() async throws {
        let directory = try TemporaryTrail()
        let log = LineLog()
        let trail = try directory.open {
            $0.recorder.capacity = 256
            $0.logger = log.logger
        }
        let app = App("shop", recorder: trail.recorder)
        withAppContext(app) { _ in }
        await trail.flush()
        #expect(trail.status.degradation == nil)
        try await SQLiteShell.holdingWriteLock(of: directory.path) {
            withAppContext(app) { _ in }
            _ = try await eventually("the drain notices", within: .seconds(20)) { trail.status.degradation }
            for _ in 0..<1000 { withAppContext(app) { $0.g["n"] = 1 } }
            let status = trail.status
            #expect(status.degradation == .locked)
            #expect(status.degradedSince != nil)
            #expect(status.lag > .zero)
            #expect(status.accounting.dropped > 0)
            #expect(status.waiting > 0)
            #expect(status.ring.slotsInUse * 10 > status.ring.slots * 9)
            // More attempts, and no more lines.
            try await eventually("time passes", within: .seconds(20)) {
                trail.status.lag > .milliseconds(100) ? () : nil
            }
            #expect(log.count("cannot write the trail (locked)") == 1)
        }
        await trail.flush()
        let status = trail.status
        #expect(status.degradation == nil)
        #expect(status.degradedSince == nil)
        #expect(status.lag == .zero)
        trail.close()
        #expect(log.count("cannot write") == 1)
        #expect(log.count("being written again") == 1)
        try directory.expectClosedAccount(trail)
        #expect(try directory.causes() == ["locked"])
        let kinds = try directory.texts(
            "SELECT DISTINCT j.value FROM events, json_each(detail, '$.kinds') AS j WHERE kind = 'drop'"
        )
        #expect(Set(kinds.compactMap { $0 }).isSuperset(of: ["app_push", "g_set", "app_pop"]))
    }

    @Test("A service begins while the lock is held, and its first events are in the trail when it is gone")
    func whenItBegins() async throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        let log = LineLog()
        let trail = try await SQLiteShell.holdingWriteLock(of: directory.path) {
            let trail = try directory.open {
                $0.logger = log.logger
                $0.patience.opening = .milliseconds(5)
            }
            #expect(trail.runID == 0)
            #expect(trail.status.degradation == .locked)
            for _ in 0..<100 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
            #expect(trail.status.waiting > 0)
            return trail
        }
        await trail.flush()
        #expect(trail.runID == 2)
        #expect(trail.status.degradation == nil)
        trail.close()
        #expect(log.count("cannot write") == 1)
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean", "clean"])
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 100)
        let seqs = "SELECT min(seq) || '|' || (max(seq) - count(*)) FROM events WHERE run_id = 2"
        #expect(try directory.texts(seqs) == ["1|0"])
    }

    @Test("A failure that comes and goes is counted, and not logged each time")
    func flapping() async throws {
        let directory = try TemporaryTrail()
        let log = LineLog()
        let trail = try directory.open {
            $0.logger = log.logger
            // However long it takes on a busy machine.
            $0.patience.quiet = .seconds(3600)
        }
        let app = App("shop", recorder: trail.recorder)
        for _ in 0..<5 {
            try await SQLiteShell.holdingWriteLock(of: directory.path) {
                withAppContext(app) { _ in }
                _ = try await eventually("the drain notices", within: .seconds(20)) { trail.status.degradation }
            }
            await trail.flush()
        }
        trail.close()
        #expect(log.count("cannot write") == 1)
        #expect(log.count("being written again") == 1)
        try directory.expectClosedAccount(trail)
    }
}
