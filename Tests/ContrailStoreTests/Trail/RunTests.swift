// Runs: how they begin and end, and what the next one finds.

import Contrail
import ContrailStore
import Foundation
import GRDB
import Testing

@Suite("Runs")
struct RunTests {
    @Test("a run that is closed is clean, and says when it ended")
    func clean() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        #expect(try directory.texts("SELECT end_state FROM runs") == ["running"])
        trail.close()
        trail.close()
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean"])
        #expect(try directory.integer("SELECT ended_at >= started_at FROM runs") == 1)
        #expect(try directory.texts("SELECT kind FROM events ORDER BY id DESC LIMIT 1") == ["run_end"])
    }

    @Test("a clean end leaves the database and the head of its chain")
    func nothingLeft() throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        #expect(try directory.contents().keys.sorted() == ["contrail.sqlite", "contrail.sqlite-head"])
    }

    @Test("two runs at once in one process and one file are both kept, and neither thinks that the other is dead")
    func twoRuns() async throws {
        let directory = try TemporaryTrail()
        let first = try directory.open(app: "first")
        let second = try directory.open(app: "second")
        for trail in [first, second] {
            let app = App("app", recorder: trail.recorder)
            for _ in 0..<100 { withAppContext(app) { _ in } }
        }
        #expect(try directory.texts("SELECT end_state FROM runs") == ["running", "running"])
        first.close()
        second.close()
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean", "clean"])
        #expect(
            try directory.rows("SELECT count(*) AS n FROM contexts GROUP BY run_id").map { $0["n"] as Int } == [
                100, 100,
            ]
        )
    }

    @Test("a run whose lock is gone counts as crashed at the next start, and its open contexts as died")
    func crashed() throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        let queue = try directory.connection()
        try queue.write { database in
            try database.execute(
                sql: """
                    UPDATE run SET end_state = 'running', ended_at = NULL;
                    INSERT INTO context (context_id, push_id, pushed_at, outcome)
                    VALUES (4294967297, 1, 1, 'open'), (4294967298, 1, 1, 'ok');
                    """
            )
        }
        try queue.close()
        let next = try directory.open()
        #expect(try directory.texts("SELECT end_state FROM runs ORDER BY run_id") == ["crashed", "running"])
        #expect(try directory.texts("SELECT outcome FROM contexts ORDER BY context_id") == ["died", "ok"])
        #expect(try directory.integer("SELECT ended_at = (SELECT max(at) FROM events WHERE run_id = 1) FROM runs") == 1)
        next.close()
    }
}
