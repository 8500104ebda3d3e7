// The inputs of the catalogue of hostile SQL, each with the verdict that it must get.

import Foundation
import TestSupport
import Testing

@testable import ContrailStore

private func times(_ count: Int, _ text: String, _ separator: String = "") -> String {
    Array(repeating: text, count: count).joined(separator: separator)
}

/// One input and the verdicts that are right for it.
struct HostileInput: Sendable, CustomTestStringConvertible {
    let name: String
    let sql: String
    /// Nil in it means that the query passes.
    let verdicts: [StoreError.Code?]

    var testDescription: String { "\(self.name) \(self.sql.prefix(60))" }

    init(_ name: String, _ sql: String, _ verdicts: StoreError.Code?...) {
        self.name = name
        self.sql = sql
        self.verdicts = verdicts
    }
}

private let forever = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c)"
private let long = "hex(zeroblob(65000))"
private let find = "instr(\(long),hex(zeroblob(32000))||'1')"

private let writes: [HostileInput] = [
    .init("S1", "INSERT INTO events(kind) VALUES('x')", .queryDenied, .queryInvalid),
    .init("S1b", "INSERT INTO event(kind) VALUES('x')", .queryDenied),
    .init("S2", "WITH x AS (SELECT 1) DELETE FROM event", .queryDenied),
    .init("S3", "UPDATE event SET kind=1 RETURNING *", .queryDenied),
    .init("S4", "SELECT 1; DELETE FROM events", .queryMalformed),
    .init("S5a", "SELECT 1 -- ;", nil),
    .init("S5b", "SELECT ';'", nil),
    .init("S5c", "SELECT 1;  /* x */", nil),
    .init("S6", "SELECT 1\0; DELETE FROM events", .queryMalformed),
    .init("S7", "CREATE TEMP TABLE t AS SELECT * FROM events", .queryDenied),
    .init("S8", "CREATE TEMP VIEW events AS SELECT 1", .queryDenied),
    .init("S9", "VACUUM INTO 'exfil.db'", .queryDenied),
    .init("S10", "ATTACH 'evil.db' AS e", .queryDenied),
    .init("S11", "ATTACH 'file:e.db?mode=rwc' AS e", .queryDenied),
    .init("S12", "ATTACH ':memory:' AS m", .queryDenied),
    .init("S13", "DETACH main", .queryDenied),
    .init("S14a", "DROP TABLE event", .queryDenied),
    .init("S14b", "ALTER TABLE event RENAME TO e2", .queryDenied),
    .init("S14c", "REINDEX", .queryDenied),
    .init("S14d", "ANALYZE", .queryDenied),
    .init("S15", "PRAGMA query_only=0", .queryDenied),
    .init("S16", "PRAGMA writable_schema=1", .queryDenied),
    .init("S17", "PRAGMA journal_mode=DELETE", .queryDenied),
    .init("S18", "PRAGMA wal_checkpoint(TRUNCATE)", .queryDenied),
    .init("S19a", "PRAGMA hard_heap_limit=0", .queryDenied),
    .init("S19b", "PRAGMA mmap_size=1099511627776", .queryDenied),
    .init("S20", "/**/ pRaGmA table_info(token)", .queryDenied),
    .init("S59a", "BEGIN", .queryDenied),
    .init("S59b", "BEGIN IMMEDIATE", .queryDenied),
    .init("S59c", "SAVEPOINT x", .queryDenied),
    .init("S60a", "EXPLAIN DELETE FROM event", .queryDenied),
    .init("S60b", "EXPLAIN SELECT 1", .queryDenied),
    .init("S60c", "EXPLAIN QUERY PLAN SELECT * FROM contexts WHERE context_id = 1", nil),
    .init("S61", "CREATE VIRTUAL TABLE temp.z USING fts5(x)", .queryDenied),
]

private let leaks: [HostileInput] = [
    .init("S21", "SELECT file FROM pragma_database_list", .queryDenied),
    .init("S21b", "SELECT count(*) FROM pragma_database_list", .queryDenied),
    .init("S22", "SELECT * FROM pragma_compile_options", .queryDenied),
    .init("S23", "SELECT load_extension('/tmp/x.so')", .queryDenied),
    .init("S24", "SELECT fts3_tokenizer('simple')", .queryDenied),
    .init("S25a", "SELECT readfile('/etc/passwd')", .queryInvalid),
    .init("S25b", "SELECT writefile('x', 'y')", .queryInvalid),
    .init("S25c", "SELECT edit('x')", .queryInvalid),
    .init("S26", "SELECT sql FROM sqlite_stmt", .queryDenied, .queryInvalid),
    .init("S27", "SELECT name,sum(pgsize) FROM dbstat GROUP BY 1", .queryDenied, .queryInvalid),
    .init("S27b", "SELECT count(*) FROM dbstat", .queryDenied, .queryInvalid),
    .init("S28", "SELECT * FROM sqlite_dbpage", .queryInvalid, .queryDenied),
    .init("S29", "SELECT secret FROM token", .queryDenied),
    .init("S29b", "SELECT value FROM string", .queryDenied),
    .init("S30", "SELECT * FROM v_leak", .queryDenied),
    .init("S31", "SELECT kind FROM events WHERE id=(SELECT id FROM token WHERE secret LIKE 's%')", .queryDenied),
    .init("S32", "SELECT count(*) FROM token", .queryDenied),
    .init("S32b", "SELECT count(*) FROM STRING", .queryDenied),
    .init("S32c", "SELECT 1 FROM events, token", .queryDenied),
    .init("S32d", "SELECT count(*) FROM main.string", .queryDenied),
    .init("S33", "SELECT * FROM fts_data", .queryInvalid, .queryDenied),
    .init("S34", "SELECT sql FROM sqlite_schema", .queryDenied),
    .init("S34b", "SELECT count(*) FROM sqlite_master", .queryDenied),
    .init("S34c", "SELECT * FROM temp.sqlite_schema", .queryDenied),
    .init("S62a", "SELECT sqlite_version()", .queryDenied),
    .init("S62b", "SELECT sqlite_compileoption_get(1)", .queryDenied),
    .init("S62c", "SELECT last_insert_rowid()", .queryDenied),
    .init("S62d", "SELECT random()", .queryDenied),
    .init("S63", "SELECT \"no_such_column\" FROM events", .queryInvalid),
    .init("S64", "SELECT 9e999, -9e999, 9223372036854775807", nil),
    .init("S65a", "   ", .queryMalformed),
    .init("S65b", "-- hi", .queryMalformed),
    .init("S65c", "", .queryMalformed),
    .init("S65d", "VALUES(1),(2)", nil),
    .init("S65e", "\u{feff}SELECT 1", nil),
    .init("S66", "SELECT x'ff', CAST(x'c328' AS TEXT), char(0)||'a', '=1+1', '<script>' FROM events", nil),
]

private let burns: [HostileInput] = [
    .init("S35", "\(forever) SELECT count(*) FROM c", .queryTimeout),
    .init(
        "S36",
        "\(forever.replacingOccurrences(of: "UNION ALL", with: "UNION")) SELECT count(*) FROM c",
        .queryTimeout,
        .queryTooBig
    ),
    .init("S37", "\(forever) SELECT x FROM c", nil),
    .init("S38", "SELECT count(*) FROM events a, events b, events c", .queryTimeout),
    .init("S39", "SELECT a.id FROM events a, events b ORDER BY a.detail||b.id", .queryTimeout, .queryTooBig),
    .init("S40", "SELECT zeroblob(1000000000)", .queryTooBig),
    .init("S41", "SELECT randomblob(900000000)", .queryDenied),
    .init("S42", "SELECT length(hex(zeroblob(400000000)))", .queryTooBig),
    .init("S43", "SELECT printf('%999999999s','x')", nil, .queryTooBig),
    .init("S44", "SELECT length(replace(hex(zeroblob(20000)),'0',hex(zeroblob(20000))))", .queryTooBig),
    .init(
        "S45",
        "WITH RECURSIVE c(n,s) AS (SELECT 1,'aaaaaaaaaa' UNION ALL SELECT n+1,s||s FROM c WHERE n<30) "
            + "SELECT length(s) FROM c",
        .queryTooBig
    ),
    .init("S46", "SELECT instr(hex(zeroblob(400000)),hex(zeroblob(200000))||'1')", .queryTooBig),
    .init("S47", "SELECT length(replace(hex(zeroblob(400000)),hex(zeroblob(200000))||'1','x'))", .queryTooBig),
    .init("S48a", "SELECT \(times(12, find, ","))", nil, .queryTimeout),
    .init("S48b", "SELECT \(times(90, find, "+"))", .queryDenied),
    .init("S49a", "SELECT \(long) LIKE '%0%0%0%0%b'", nil),
    .init("S49b", "SELECT \(times(20, "(\(long) LIKE '%0\(times(250, "_"))1')", "+"))", nil, .queryTimeout),
    .init("S49c", "SELECT \(times(20, "(\(long) GLOB '*\(times(50, "[0-9]"))x')", "+"))", nil, .queryTimeout),
    .init("S49d", "SELECT 'x' LIKE '\(times(257, "x"))'", .queryInvalid),
    .init("S50", "SELECT \(times(2000, "("))1\(times(2000, ")"))", .queryInvalid, .queryTooBig),
    .init("S51", "SELECT \(times(3000, "NOT ")) 1", .queryInvalid, .queryTooBig),
    .init("S52", "SELECT 1\(times(600, " UNION ALL SELECT 1"))", .queryInvalid),
    .init("S53", "SELECT \(times(3000, "1", ","))", .queryInvalid),
    .init(
        "S54a",
        "SELECT 1 FROM \((0..<70).map { "events e\($0)" }.joined(separator: ","))",
        .queryInvalid,
        .queryDenied
    ),
    .init("S54b", "SELECT count(*) FROM \((0..<20).map { "events e\($0)" }.joined(separator: ","))", .queryTimeout),
    .init("S55a", "SELECT 1 IN (\((0..<30_000).map(String.init).joined(separator: ",")))", .queryMalformed),
    .init("S55b", "SELECT CASE 1 \(times(5000, "WHEN 2 THEN 3 ")) END", .queryMalformed),
    .init("S55c", "SELECT '\(times(200_000, "x"))'", .queryMalformed),
    .init(
        "S56",
        "SELECT group_concat(detail) OVER (ORDER BY id ROWS BETWEEN 500 PRECEDING AND 500 FOLLOWING) "
            + "FROM events",
        nil,
        .queryTimeout,
        .queryTooBig
    ),
    .init(
        "S57",
        "SELECT count(*) FROM json_tree('[\(times(5000, "1", ","))]') a, "
            + "json_tree('[\(times(5000, "1", ","))]') b",
        .queryTimeout
    ),
    .init("S58", "SELECT json_extract('\(times(2500, "["))\(times(2500, "]"))','$')", .queryInvalid),
    .init(
        "S67",
        "SELECT sum(\(find.replacingOccurrences(of: "65000", with: "65000+id*0"))) FROM events",
        nil,
        .queryTimeout
    ),
    .init(
        "S68",
        "SELECT length(trim(hex(zeroblob(64000)),replace(hex(zeroblob(5000)),'0','a')||'0'))",
        // Milliseconds on a machine that has time, and stopped in time on one that has not.
        nil,
        .queryTimeout
    ),
    .init("S69", "SELECT \(times(50, "json_patch('{}','{}')", ","))", .queryDenied),
    .init("S70", "SELECT \(times(90, "length('x')", "+"))", .queryDenied),
    .init("S70b", "SELECT \(times(64, "length('x')", "+"))", nil),
]

// Not in the catalogue: a WITH term, or an alias, that passes for a published view; and growth in the compiler.
private let beyond: [HostileInput] = [
    .init("C1", "WITH events AS (SELECT pid FROM run) SELECT * FROM events", .queryDenied),
    .init("C2", "WITH contexts AS (SELECT sql FROM sqlite_schema) SELECT * FROM contexts", .queryDenied),
    .init("C3", "WITH events AS (SELECT value FROM string) SELECT * FROM events", .queryDenied),
    .init("C4", "WITH \"EVENTS\"(v) AS MATERIALIZED (SELECT value FROM string) SELECT v FROM events", .queryDenied),
    .init(
        "C5",
        "WITH x AS (SELECT 1), [events] AS NOT MATERIALIZED (SELECT value FROM string) SELECT * FROM events",
        .queryDenied
    ),
    .init("C6", "WITH 'events'/**/AS--\n(SELECT value FROM string) SELECT * FROM events", .queryDenied),
    .init("C7", "WITH events \u{b}AS \u{b}(SELECT value FROM string) SELECT * FROM events", .queryDenied),
    .init(
        "C8",
        "SELECT $a('), (WITH events AS (SELECT value FROM string) SELECT group_concat(value) FROM events), '",
        .queryDenied,
        .queryInvalid
    ),
    .init("C9", "SELECT * FROM (SELECT value FROM string) AS events", .queryDenied),
    .init("C10", "SELECT events.value FROM string AS events", .queryDenied),
    .init("C11", "WITH events AS (SELECT count(*) FROM string) SELECT * FROM events", .queryDenied),
    .init("C12", "WITH string AS (SELECT 1) SELECT count(*) FROM string", .queryDenied),
    .init(
        "C13",
        "SELECT count(*) FROM dbstat WHERE 1 IN (WITH dbstat AS (SELECT 1) SELECT 1 FROM dbstat)",
        .queryDenied
    ),
    .init("C14", "SELECT count(*) FROM contexts, string", .queryDenied),
    .init("C15", "SELECT count(*) FROM context", .queryDenied),
    .init("C16", "SELECT 1 IN token FROM runs", .queryDenied, .queryInvalid),
    .init("C17", "SELECT * FROM events ORDER BY (SELECT value FROM string)", .queryDenied),
    .init("C18", "SELECT * FROM events NATURAL JOIN token", .queryDenied),
    .init(
        "C19",
        "WITH RECURSIVE events(v) AS (SELECT value FROM string UNION SELECT v FROM events) "
            + "SELECT v FROM events",
        .queryDenied
    ),
    .init(
        "G1",
        "WITH a0 AS (SELECT 1 AS x)"
            + (1..<26).map { ", a\($0) AS (SELECT p.x FROM a\($0 - 1) p, a\($0 - 1) q)" }
            .joined() + " SELECT x FROM a25",
        .queryTooBig
    ),
    .init(
        "G2",
        (0..<4).reduce("SELECT id AS x FROM events") { sql, _ in
            "SELECT \(times(90, "x", "+")) AS x FROM (\(sql))"
        },
        .queryTooBig
    ),
    .init(
        "G3",
        "SELECT 1 IN (\(times(6000, "1", ","))) AS a FROM runs WHERE 1 IN (\(times(6000, "a", ",")))",
        .queryTooBig
    ),
    .init(
        "G4",
        "WITH a0 AS (SELECT 1 AS x)"
            + (1..<26).map { ", a\($0) AS (SELECT (1 IN a\($0 - 1)) + (1 IN a\($0 - 1)) AS x)" }
            .joined() + " SELECT x FROM a25",
        .queryTooBig
    ),
]

@Suite("Hostile SQL")
struct QueryHostileTests {
    private static let limit = Duration.milliseconds(250)
    /// Of a statement whose verdict is not a matter of time, however busy the machine is.
    private static let patience = Duration.seconds(60)

    private func judge(_ input: HostileInput) throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        let before = try trail.files()
        let here = try FileManager.default.contentsOfDirectory(atPath: ".").sorted()
        let limit = input.verdicts.contains(.queryTimeout) ? Self.limit : Self.patience
        let (time, verdict) = ThreadTime.of {
            code { try connection.run(input.sql, limits: QueryLimits(time: limit)) }
        }
        #expect(input.verdicts.contains(verdict), "\(input.name): \(verdict?.description ?? "passed")")
        #expect(time < Self.limit + .seconds(1))
        #expect(try trail.files() == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: ".").sorted() == here)
        #expect(try connection.run("SELECT count(*) FROM runs").rows == [[1]])
    }

    @Test("a statement that writes, or is none, is refused", arguments: writes)
    func write(_ input: HostileInput) throws { try self.judge(input) }

    @Test("a statement that reads what is private is refused", arguments: leaks)
    func leak(_ input: HostileInput) throws { try self.judge(input) }

    @Test("a statement that burns time or memory is stopped", arguments: burns)
    func burn(_ input: HostileInput) throws { try self.judge(input) }

    @Test("a WITH term that passes for a view, or a query that explodes, is refused", arguments: beyond)
    func trick(_ input: HostileInput) throws { try self.judge(input) }

    @Test("a refusal names the rule, the private table and what is allowed")
    func message() throws {
        let trail = try QueryTrail()
        let connection = try trail.connection()
        do {
            _ = try connection.run("SELECT value FROM string")
            Issue.record("must be refused")
        } catch {
            #expect(error.message.contains("only SELECT over runs, contexts, events"))
            #expect(error.message.contains("table `string` is private"))
        }
    }
}
