// What a sandboxed connection answers to honest queries, and its limits.

import ContrailMigrations
import Foundation
import GRDBSQLite
import TestSupport
import Testing

@testable import ContrailStore

private let honest = [
    "SELECT * FROM contexts WHERE context_id = 4294967297", "SELECT count(*) FROM contexts",
    "SELECT 1 FROM EVENTS LIMIT 1",
    "SELECT count(*) FROM main.events", "SELECT rowid FROM events LIMIT 1", "SELECT count(*) FROM g_snapshots",
    "SELECT count(*) FROM recycles r JOIN runs USING (run_id)", "SELECT position, error FROM teardowns LIMIT 3",
    "WITH c AS (SELECT 1) SELECT count(*) FROM c", "WITH t AS (SELECT * FROM events) SELECT count(*) FROM t",
    "WITH t(a, b) AS (SELECT run_id, seq FROM events), u AS (SELECT a FROM t) SELECT count(*) FROM t, u LIMIT 1",
    "SELECT c.path, count(*) FROM contexts c JOIN events e USING (context_id) GROUP BY 1 ORDER BY 2 DESC LIMIT 5",
    "SELECT e.key FROM events, json_each(detail) e LIMIT 5", "SELECT fullkey FROM json_tree('{\"a\":[1]}')",
    "SELECT detail ->> '$.error', detail -> '$.error' FROM events WHERE detail IS NOT NULL LIMIT 1",
    "SELECT run_id FROM contexts UNION SELECT run_id FROM problems", "SELECT 1 WHERE EXISTS (SELECT 1 FROM problems)",
    "SELECT sum(duration_ns) OVER (ORDER BY pushed_at) FROM contexts LIMIT 5",
    "SELECT row_number() OVER w FROM contexts WINDOW w AS (ORDER BY context_id) LIMIT 2",
    "SELECT worker, count(*) FILTER (WHERE outcome = 'failed') FROM contexts GROUP BY worker HAVING count(*) > 1",
    "SELECT c.path FROM contexts c LEFT JOIN problems p ON p.context_id = c.context_id WHERE p.id IS NULL LIMIT 3",
    "SELECT DISTINCT app FROM (SELECT * FROM contexts LIMIT 10)",
    "SELECT count(*) FROM (SELECT DISTINCT outcome FROM contexts)",
    "SELECT * FROM events e NATURAL JOIN (SELECT 5 AS seq)", "SELECT max(at), kind FROM events",
    "SELECT strftime('%H', at / 1000000, 'unixepoch') AS hour, count(*) FROM events GROUP BY hour ORDER BY hour",
    "SELECT count(*) FROM events, runs, contexts WHERE events.id = 1 AND contexts.context_id = 4294967297",
    "SELECT * FROM runs, recycles, problems, teardowns LIMIT 1", "SELECT (SELECT max(seq) FROM teardowns) FROM runs",
    "WITH RECURSIVE up(id) AS (SELECT 4294967297 UNION SELECT parent_id FROM contexts, up WHERE context_id = up.id "
        + "AND parent_id IS NOT NULL) SELECT * FROM up JOIN contexts ON context_id = up.id",
]

struct WrongParameters: Sendable {
    let sql: String
    let parameters: QueryParameters
    /// What the message must contain.
    let part: String

    init(_ sql: String, _ parameters: QueryParameters, _ part: String) {
        self.sql = sql
        self.parameters = parameters
        self.part = part
    }
}

@Suite("Sandboxed connection")
struct QueryConnectionTests {
    @Test("an honest query passes", arguments: honest)
    func passes(_ sql: String) throws {
        let trail = try QueryTrail()
        #expect(code { try trail.connection().run(sql, limits: QueryLimits(time: .seconds(5))) } == nil)
    }

    @Test("all columns of all seven views can be read", arguments: QueryPermissions.publishedViews)
    func columns(_ view: String) throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        let all = try connection.run("SELECT * FROM \(view) LIMIT 2")
        #expect(all.columns.count >= 9)
        for column in all.columns {
            #expect(try connection.run("SELECT \(column.name) FROM \(view) LIMIT 2").rows.count == all.rows.count)
        }
    }

    @Test("values keep their types, and bytes that are no UTF-8 become U+FFFD")
    func types() throws {
        let trail = try QueryTrail()
        let result = try trail.connection().run(
            "SELECT NULL, 9223372036854775807, 9e999, 'é', x'00ff', CAST(x'c328' AS TEXT), char(0)||'a', '', x''"
        )
        let infinity = QueryValue.real(.infinity)
        #expect(
            result.rows == [
                [nil, 9_223_372_036_854_775_807, infinity, "é", .blob([0, 255]), "\u{fffd}(", "\0a", "", .blob([])]
            ]
        )
        #expect(
            result.columns.map(\.type) == ["null", "integer", "real", "text", "blob", "text", "text", "text", "blob"]
        )
        #expect(result.bytes == 1 + 8 + 8 + 2 + 2 + 2 + 2)
        let empty = try trail.connection().run("SELECT context_id, path, 1 + 1 AS sum FROM contexts WHERE 0")
        #expect(empty.columns.map(\.type) == ["integer", "text", "null"])
        #expect(empty.columns.map(\.name) == ["context_id", "path", "sum"])
    }

    @Test("rows are cut at the limit, and the result says so")
    func rows() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        let cut = try connection.run("SELECT id FROM events", limits: QueryLimits(rows: 10))
        #expect(cut.rows.count == 10 && cut.truncated && cut.reason == "rows")
        let exact = try connection.run("SELECT id FROM events LIMIT 10", limits: QueryLimits(rows: 10))
        #expect(exact.rows.count == 10 && !exact.truncated && exact.reason == nil)
    }

    @Test("bytes are cut at the limit, and the result says so")
    func bytes() throws {
        let trail = try QueryTrail()
        let result = try trail.connection().run(
            "SELECT hex(zeroblob(50)) FROM events",
            limits: QueryLimits(bytes: 1050)
        )
        #expect(result.rows.count == 10 && result.bytes == 1000 && result.reason == "bytes")
    }

    @Test("limits are pulled into range")
    func clamped() {
        let limits = QueryLimits(time: .seconds(99), rows: 0, bytes: .max).clamped()
        #expect(limits == QueryLimits(time: .seconds(10), rows: 1, bytes: 8 * 1024 * 1024))
    }

    @Test("parameters are bound by position and by name, with or without a prefix")
    func parameters() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        let list: QueryParameters = [nil, 7, 1.5, "", .blob([])]
        #expect(try connection.run("SELECT ?, ?, ?, ?, ?", parameters: list).rows == [[nil, 7, 1.5, "", .blob([])]])
        let names: QueryParameters = ["a": 1, ":b": 2, "@c": 3, "$d": "x\0y"]
        #expect(try connection.run("SELECT :a, @b, $c, :d, @a", parameters: names).rows == [[1, 2, 3, "x\0y", 1]])
    }

    @Test(
        "a wrong parameter is refused by name",
        arguments: [
            WrongParameters("SELECT ?, :x", [1], "2 (:x)"), WrongParameters("SELECT ?", [1, 2], "value 2"),
            WrongParameters("SELECT :a", ["b": 1], "1 (:a)"), WrongParameters("SELECT :a", ["a": 1, "zz": 1], "zz"),
            WrongParameters("SELECT ?", ["a": 1], "parameter 1"),
            WrongParameters("SELECT :a", ["a": 1, ":a": 2], "twice"),
        ]
    )
    func wrongParameter(_ wrong: WrongParameters) throws {
        let connection = try QueryTrail().connection()
        do {
            _ = try connection.run(wrong.sql, parameters: wrong.parameters)
            Issue.record("must be refused")
        } catch {
            #expect(error.code == .queryInvalid && error.message.contains(wrong.part), "\(error.message)")
        }
    }

    @Test("a cached statement keeps no values and no verdict of another query")
    func cache() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        for id in [1, 2, 3] as [QueryValue] {
            #expect(try connection.run("SELECT id FROM events WHERE id = ?", parameters: [id]).rows == [[id]])
        }
        #expect(code { try connection.run("SELECT id FROM events WHERE id = ?") } == .queryInvalid)
        #expect(code { try connection.run("SELECT value FROM string") } == .queryDenied)
        #expect(code { try connection.run("SELECT") } == .queryInvalid)
        for number in 0..<100 { #expect(try connection.run("SELECT \(number)").rows.count == 1) }
    }

    @Test("a change of the schema by a writer is followed, for honest and for dishonest queries")
    func schemaChange() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        #expect(try connection.run("SELECT count(*) FROM runs").rows == [[1]])
        try trail.write("CREATE TABLE later (x); INSERT INTO later VALUES (1); ALTER TABLE run ADD COLUMN note TEXT")
        try trail.write("DROP VIEW runs; CREATE VIEW runs AS SELECT run_id, note AS app FROM run")
        #expect(try connection.run("SELECT count(*) FROM runs").rows == [[1]])
        #expect(try connection.run("SELECT app FROM runs").rows == [[nil]])
        #expect(code { try connection.run("SELECT count(*) FROM later") } == .queryDenied)
        #expect(
            code { try connection.run("SELECT 1 FROM (WITH later AS (SELECT 1) SELECT 1 FROM later), later") }
                == .queryDenied
        )
    }

    @Test("no read snapshot stays behind, whatever the query did")
    func snapshot() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        _ = try connection.run("SELECT * FROM events", limits: QueryLimits(rows: 1))
        _ = code {
            try connection.run(
                "SELECT count(*) FROM events, events, events",
                limits: QueryLimits(time: .milliseconds(20))
            )
        }
        try trail.write("INSERT INTO string (value) VALUES ('new')")
        var log: Int32 = 0
        var done: Int32 = 0
        #expect(sqlite3_wal_checkpoint_v2(trail.writer, nil, SQLITE_CHECKPOINT_TRUNCATE, &log, &done) == SQLITE_OK)
        #expect(log == 0)
    }

    @Test("a file that cannot be opened is refused with the reason")
    func opening() throws {
        let trail = try QueryTrail()
        let file = trail.directory.appendingPathComponent("other")
        #expect(code { try QueryConnection(path: trail.directory.path) } == .inaccessible)
        #expect(code { try QueryConnection(path: file.path) } == .inaccessible)
        try Data(repeating: 65, count: 8192).write(to: file)
        #expect(code { try QueryConnection(path: file.path) } == .notADatabase)
        try Data().write(to: file)
        #expect(code { try QueryConnection(path: file.path) } == .notATrail)
        #expect(code { try QueryConnection(path: "file:\(trail.path)?mode=rwc") } == .inaccessible)
    }

    @Test("a text that is slow to compile is still bounded in time")
    func compiling() throws {
        let connection = try QueryTrail().connection()
        let names = (0..<60).map { "contexts c\($0)" }.joined(separator: ",")
        let (time, _) = ThreadTime.of { code { try connection.run("SELECT 1 FROM \(names) LIMIT 1") } }
        #expect(time < .seconds(2))
    }
}
