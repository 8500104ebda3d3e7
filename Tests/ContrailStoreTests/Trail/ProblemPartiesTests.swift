// Who owns what a problem is about, and who touched it: in the event, in `problems`, and in trails of earlier versions.

import ContextVariables
import Contrail
import ContrailMigrations
import ContrailRecorder
import ContrailStore
import GRDB
import Testing

@Suite("The parties of a problem")
struct ProblemPartiesTests {
    private func record(_ problem: FlightRecorder.Finding, in directory: TemporaryTrail, worker: String?) throws {
        let trail = try directory.open()
        defer { trail.close() }
        let owner = Worker(kind: "job:ship", number: 3)
        withAppContext(App("shop", recorder: trail.recorder), worker: owner) { _ in
            trail.recorder.withHead(
                context: 1,
                workerKind: worker,
                workerNumber: 8,
                epoch: 0,
                thread: 4711,
                time: MonotonicClock.nanoseconds
            ) { trail.recorder.recordProblem($0, problem) }
        }
    }

    @Test("a problem names reader, owner, both sites and its age, in the view and in its event")
    func parties() throws {
        let directory = try TemporaryTrail()
        let problem = FlightRecorder.Finding(
            kind: .poisonedWorker,
            other: 2,
            message: "left behind",
            site: Site(fileID: "Shop/Late.swift", line: 7),
            ownerSite: Site(fileID: "Shop/Early.swift", line: 3),
            ageNanoseconds: 1_500_000
        )
        try self.record(problem, in: directory, worker: "conn")
        let row = try #require(try directory.rows("SELECT * FROM problems").first)
        #expect(row["kind"] == "poisoned_worker")
        #expect(row["reader"] == "conn:8")
        #expect(row["owner"] == "job:ship/3")
        #expect(row["site"] == "Shop/Late.swift:7")
        #expect(row["owner_site"] == "Shop/Early.swift:3")
        #expect(row["age_ns"] == 1_500_000)
        #expect(row["other_context_id"] as Int64? == (row["context_id"] as Int64?).map { $0 + 1 })
        let event = try #require(
            try directory.rows(
                """
                SELECT thread, worker, detail ->> '$.owner_site', detail ->> '$.age_ns' FROM events
                WHERE kind = 'poisoned_worker'
                """
            )
            .first
        )
        #expect(event[0] == 4711)
        #expect(event[1] == "conn:8")
        #expect(event[2] == "Shop/Early.swift:3")
        #expect(event[3] == 1_500_000)
    }

    @Test("a reader without a worker is named by its thread; what is not known is null, and not in the detail")
    func unknown() throws {
        let directory = try TemporaryTrail()
        let problem = FlightRecorder.Finding(kind: .leak, other: nil, message: "left", site: Site())
        try self.record(problem, in: directory, worker: nil)
        let row = try #require(try directory.rows("SELECT * FROM problems").first)
        #expect(row["reader"] == "thread:4711")
        #expect(row["worker"] as String? == nil)
        #expect(row["owner_site"] as String? == nil)
        #expect(row["age_ns"] as Int64? == nil)
        #expect(try directory.texts("SELECT detail FROM events WHERE kind = 'leak'") == [#"{"message":"left"}"#])
    }

    @Test("an age beyond what SQLite can hold is cut, not refused")
    func hugeAge() throws {
        let directory = try TemporaryTrail()
        let problem = FlightRecorder.Finding(
            kind: .leak,
            other: nil,
            message: "old",
            site: Site(),
            ageNanoseconds: .max
        )
        try self.record(problem, in: directory, worker: nil)
        #expect(try directory.rows("SELECT age_ns FROM problems").first?[0] == Int64.max)
    }

    @Test("a trail of the version before keeps its problems, with nothing in the new columns but the owner")
    func earlierVersion() throws {
        let directory = try TemporaryTrail()
        var migrator = DatabaseMigrator()
        let first = try #require(migrations.first)
        migrator.registerMigration(first.identifier) { try $0.execute(sql: first.sql) }
        let queue = try directory.connection()
        try migrator.migrate(queue)
        try queue.writeWithoutTransaction { database in
            try database.execute(
                sql: """
                    PRAGMA application_id = \(0x4354_524C);
                    PRAGMA user_version = 1;
                    INSERT INTO string (id, value) VALUES (1, 'conn:'), (2, 'Shop/Pop.swift:9');
                    INSERT INTO run (run_id, run_uuid, app, host, pid, executable, version, started_at, ended_at, end_state)
                        VALUES (1, 'a-b', 'shop', 'box', 1, 'shop', '1', 1, 2, 'clean');
                    INSERT INTO context (context_id, run_id, kind, origin, worker, worker_number, pushed_at, outcome)
                        VALUES (4294967297, 1, 'app', 'http', 1, 17, 1, 'leaked');
                    INSERT INTO event (id, run_id, seq, at, kind, context_id, worker, worker_number)
                        VALUES (4, 1, 4, 1, 3, 4294967297, 1, 17);
                    INSERT INTO problem (id, run_id, seq, at, kind, context_id, worker, worker_number, signature, message, site)
                        VALUES (5, 1, 5, 1, 'leak', 4294967297, 1, 17, 'abc', 'never popped', 2);
                    """
            )
        }
        try queue.close()
        try directory.open().close()
        let row = try #require(try directory.rows("SELECT * FROM problems").first)
        #expect(row["message"] == "never popped")
        #expect(row["worker"] == "conn:17")
        #expect(row["site"] == "Shop/Pop.swift:9")
        #expect(row["owner"] == "conn:17")
        for column in ["reader", "owner_site", "age_ns"] { #expect(row[column] as String? == nil, "\(column)") }
        #expect(try directory.integer("PRAGMA user_version") == migrations.count)
    }
}
