// What was changed in a trail is found, and where; what was written is as it was.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Testing

@Suite("Verifying a trail")
struct TrailVerifierTests {
    private struct Broken: Error {}

    /// A trail with several batches, problems, and every kind of value.
    private func makeTrail(in directory: TemporaryTrail, integrity: TrailStore.Integrity = .chained) async throws {
        let trail = try directory.open(integrity: integrity)
        let app = App("shop", recorder: trail.recorder)
        try app.teardownAppContext("close") { _, _ in throw Broken() }
        for number in 0..<6 {
            try? await withAppContext(app) { context async throws in
                context.g["number"] = number
                context.g["name"] = "anna-\(number)"
                let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(number)")
                let request = App.RequestContext(app, head, requestID: "r-\(number)")
                try request.push()
                try? await AppContext(app).pop()
                try await request.pop(outcome: .ok)
                await trail.flush()
                if number == 3 { throw Broken() }
            }
            // Begins a batch of its own.
            for filler in 0..<1200 {
                trail.recorder.recordMark(RecordHead(), name: "m\(filler % 3)", site: Site())
            }
            await trail.flush()
        }
        trail.close()
    }

    private func finding(_ directory: TemporaryTrail, key: [UInt8]? = nil) throws -> TrailVerifier.Finding? {
        try TrailVerifier(path: directory.path, key: key).run().finding
    }

    @Test("a trail is as it was written, while it is written and afterwards")
    func unchanged() async throws {
        let directory = try TemporaryTrail()
        try await self.makeTrail(in: directory)
        let report = try TrailVerifier(path: directory.path).run()
        #expect(report.finding == nil)
        #expect(report.batches > 6)
        #expect(try directory.integer("SELECT count(*) FROM events") == report.events)
        let next = try directory.open()
        withAppContext(App("shop", recorder: next.recorder)) { $0.g["a"] = 1 }
        await next.flush()
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        next.close()
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
    }

    @Test(
        "a change of any stored row is found and located",
        arguments: [
            ("UPDATE event SET at = at + 1 WHERE id = 40", "row_changed", 40),
            ("UPDATE event SET extra = 99 WHERE id = (SELECT min(id) FROM event WHERE kind = 8)", "row_changed", 3),
            ("UPDATE event SET site = NULL WHERE id = 2000", "row_changed", 2000),
            ("DELETE FROM event WHERE id = 50", "row_missing", 50),
            ("UPDATE context SET path = '/x' WHERE path = '/orders/0'", "row_changed", 5),
            ("UPDATE string SET value = 'other' WHERE value = 'number'", "batch_changed", nil),
            ("UPDATE lane SET base = base + 1 WHERE id = 1", "batch_changed", nil),
            ("UPDATE run SET app = 'other'", "batch_changed", nil),
            ("UPDATE batch SET last_seq = last_seq + 1 WHERE id = 2", "batch_changed", nil),
            ("UPDATE batch SET root = zeroblob(32) WHERE id = 3", "batch_changed", nil),
            ("UPDATE batch SET tags = zeroblob(length(tags)) WHERE id = 1", "row_changed", 1),
            ("UPDATE batch SET salt = zeroblob(32) WHERE id = 1", "row_changed", 3),
            ("DELETE FROM batch WHERE id = 2", "batch_missing", nil),
            ("DELETE FROM batch WHERE id = 1", "batch_missing", nil),
            ("DELETE FROM batch WHERE id = (SELECT max(id) FROM batch)", "truncated", nil),
            (
                "DELETE FROM event WHERE id >= (SELECT first_id FROM batch ORDER BY id DESC LIMIT 1); "
                    + "DELETE FROM batch WHERE id = (SELECT max(id) FROM batch)", "truncated", nil
            ),
            ("INSERT INTO event (shift, at, kind, lane) VALUES (0, 1, 20, 1)", "row_added", nil),
            (
                "UPDATE batch SET id = -1 WHERE id = 2; UPDATE batch SET id = 2 WHERE id = 3; "
                    + "UPDATE batch SET id = 3 WHERE id = -1",
                "batch_changed", nil
            ),
            ("UPDATE context SET pushed_at = 1 WHERE context_id = 4294967297", "projection_differs", 4_294_967_297),
            ("UPDATE context SET outcome = 'ok' WHERE outcome = 'failed'", "projection_differs", nil),
            ("UPDATE context SET endpoint = 0 WHERE method IS NULL", "projection_differs", nil),
            ("UPDATE run SET ended_at = ended_at + 1", "run_changed", 1),
            (
                "UPDATE run SET ended_at = (SELECT e.at FROM batch AS b JOIN event AS e ON e.id = b.last_id ORDER BY b.id LIMIT 1)",
                "run_changed", 1
            ),
            ("UPDATE run SET gone_drops = 1", "run_changed", 1),
            ("UPDATE run SET seal = 'x'", "run_changed", 1),
            ("PRAGMA ignore_check_constraints = ON; UPDATE run SET end_state = 'Clean'", "run_changed", 1),
            ("UPDATE event_kind SET name = 'marc' WHERE name = 'mark'", "schema_changed", nil),
            ("INSERT INTO event_kind VALUES (99, 'other')", "schema_changed", nil),
            (
                "DROP VIEW recycles; CREATE VIEW recycles AS SELECT id, 7 AS seq FROM event WHERE kind = 11",
                "schema_changed", nil
            ),
            ("DROP INDEX context_open", "schema_changed", nil),
            ("UPDATE batch SET tags = CAST(tags || x'00' AS BLOB) WHERE id = 1", "batch_changed", nil),
            (
                "UPDATE batch SET salt = zeroblob(32) WHERE id = (SELECT max(id) FROM batch WHERE salt IS NULL)",
                "batch_changed", nil
            ),
            ("UPDATE batch SET mac = x'00' WHERE id = 1", "batch_changed", nil),
            ("DELETE FROM problem WHERE kind = 'teardown_failed'", "projection_differs", nil),
            ("UPDATE problem SET message = 'x' WHERE kind = 'teardown_failed'", "projection_differs", nil),
            ("UPDATE problem SET owner_site = 1 WHERE kind = 'teardown_failed'", "projection_differs", nil),
            ("UPDATE problem SET reader_thread = 1", "projection_differs", nil),
            ("UPDATE problem SET message = 'x' WHERE kind = 'rejected_pop'", "projection_differs", nil),
            ("UPDATE problem SET signature = 'x'", "projection_differs", nil),
            (
                "INSERT INTO context (context_id, push_id, pushed_at, outcome) VALUES (77, 1, 1, 'ok')",
                "projection_differs", 77
            ),
        ] as [(String, String, Int64?)]
    )
    func changed(_ sql: String, _ kind: String, _ row: Int64?) async throws {
        let directory = try TemporaryTrail()
        try await self.makeTrail(in: directory)
        try directory.change(sql)
        let finding = try #require(try self.finding(directory))
        #expect(finding.kind == kind, "\(finding)")
        if let row { #expect(finding.row == row, "\(finding)") }
    }

    @Test("reindex makes the projections what the events say")
    func reindex() async throws {
        let directory = try TemporaryTrail()
        try await self.makeTrail(in: directory)
        let contexts = try directory.rows("SELECT * FROM contexts").map(\.description)
        let problems = try directory.rows("SELECT * FROM problems").map(\.description)
        try directory.change(
            """
            DELETE FROM problem;
            DELETE FROM context WHERE method IS NULL;
            UPDATE context SET outcome = 'open', pop_id = NULL, pushed_at = 5;
            INSERT INTO context (context_id, push_id, pushed_at, outcome) VALUES (77, 1, 1, 'ok');
            """
        )
        #expect(try self.finding(directory)?.kind == "projection_differs")
        try Reindex.run(directory.path)
        #expect(try self.finding(directory) == nil)
        #expect(try directory.rows("SELECT * FROM contexts").map(\.description) == contexts)
        #expect(try directory.rows("SELECT * FROM problems").map(\.description) == problems)
    }

    @Test("with a key, a chain that was computed without it does not pass")
    func key() async throws {
        let directory = try TemporaryTrail()
        try await self.makeTrail(in: directory, integrity: .keyed(Array("secret".utf8)))
        #expect(try self.finding(directory, key: Array("secret".utf8)) == nil)
        #expect(try self.finding(directory, key: Array("guessed".utf8))?.kind == "mac_wrong")
    }

    @Test("an erased value is in no file any more, the chain is valid, and a tombstone says what was done")
    func erase() async throws {
        let directory = try TemporaryTrail()
        try await self.makeTrail(in: directory)
        #expect(try directory.contents().values.contains { $0.range(of: Data("anna-2".utf8)) != nil })
        let report = try Erasure(path: directory.path).run(key: "name", equals: "anna-2")
        #expect(report.erased == 2)
        #expect(report.isLogEmpty)
        for (file, bytes) in try directory.contents() {
            #expect(bytes.range(of: Data("anna-2".utf8)) == nil, "in \(file)")
            #expect(file != "contrail.sqlite" || bytes.range(of: Data("anna-1".utf8)) != nil)
        }
        let after = try TrailVerifier(path: directory.path).run()
        #expect(after.finding == nil)
        #expect(after.erased == 2)
        #expect(
            try directory.texts("SELECT name || (detail ->> '$.count') FROM events WHERE kind = 'erase'") == ["name2"]
        )
        #expect(
            try directory.texts("SELECT detail FROM events WHERE kind = 'g_set' AND detail LIKE '%erased%'") == [
                #"{"value":{"erased":true}}"#
            ]
        )
        #expect(
            try directory.texts("SELECT g_json FROM g_snapshots WHERE g_json LIKE '%erased%' LIMIT 1") == [
                #"{"number":2,"name":{"erased":true}}"#
            ]
        )
        // What is left of the batches is as safe as before, and so is what is left of a snapshot.
        for left in [#"{"number":3,"name":{"erased":true}}"#, #"{"number":2}"#] {
            let copy = try directory.copy()
            try copy.change("UPDATE event SET extra = '\(left)' WHERE extra LIKE '%erased%'")
            #expect(try self.finding(copy)?.message.hasPrefix("what is left of event") == true)
        }
        try directory.change("UPDATE event SET extra = 'anna-9' WHERE extra = 'anna-1'")
        #expect(try self.finding(directory)?.kind == "row_changed")
    }
}
