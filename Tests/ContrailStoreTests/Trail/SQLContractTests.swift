// The seven names and their columns: what users write queries against.

import ContrailRecorder
import ContrailStore
import GRDB
import Testing

let publishedColumns: [String: String] = [
    "runs":
        "run_id run_uuid app host pid executable version started_at started_at_iso ended_at ended_at_iso end_state",
    "contexts": """
    context_id run_id kind origin app parent_id worker epoch pushed_at pushed_at_iso popped_at popped_at_iso \
    duration_ns outcome error push_site pop_site method path endpoint request_id trace_id
    """,
    "events": """
    id run_id seq at at_iso kind context_id other_context_id worker thread epoch name site duration_ns outcome detail
    """,
    "teardowns": "id run_id seq at at_iso context_id position hook duration_ns error site",
    "g_snapshots": "id run_id seq context_id label at at_iso g_json truncated",
    "g_versions": "id run_id context_id key from_seq to_seq value site worker fidelity",
    "recycles": "id run_id seq at at_iso worker epoch_before epoch_after variables_dropped",
    "problems": """
    id run_id seq at at_iso kind context_id other_context_id worker signature message site reader owner owner_site \
    age_ns
    """,
]

@Suite("The SQL contract")
struct SQLContractTests {
    @Test("each published name has its columns, in order", arguments: publishedColumns.keys.sorted())
    func columns(of name: String) throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        defer { trail.close() }
        let names = try directory.texts("SELECT name FROM pragma_table_info('\(name)') ORDER BY cid")
        #expect(names.compactMap(\.self).joined(separator: " ") == publishedColumns[name])
    }

    @Test("every event kind of the recorder has its name in the database")
    func kinds() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        defer { trail.close() }
        for kind in EventKind.all {
            let names = try directory.texts("SELECT name FROM event_kind WHERE id = \(kind.code)")
            #expect(names == [kind.name])
        }
        // The kinds of the design, recorded today or not: the numbers are taken.
        #expect(try directory.integer("SELECT count(*) FROM event_kind") == 31)
    }

    @Test("page size and vacuum mode were set before the first page")
    func pragmas() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        defer { trail.close() }
        #expect(try directory.integer("PRAGMA page_size") == 4096)
        #expect(try directory.integer("PRAGMA auto_vacuum") == 2)
        #expect(try directory.texts("PRAGMA journal_mode") == ["wal"])
    }

    @Test("a time in the first tenth of its second keeps the zeros of its fraction")
    func isoZeros() throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        for (at, iso) in [(1_763_714_627_038_340, "08:43:47.038340Z"), (1_763_714_627_000_007, "08:43:47.000007Z")] {
            try directory.connection().write { try $0.execute(sql: "UPDATE run SET started_at = \(at)") }
            #expect(try directory.texts("SELECT substr(started_at_iso, 12) FROM runs") == [iso])
        }
        let definitions = try directory.texts("SELECT sql FROM sqlite_master WHERE type = 'view' AND sql LIKE '%_iso%'")
        #expect(definitions.count == 7)
        for definition in definitions {
            #expect(definition?.contains(/\|\| [a-z._]+ %/) == false, "\(definition ?? "")")
        }
    }

    @Test("times have a twin in ISO 8601 with microseconds")
    func isoTwins() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.close()
        let row = try #require(try directory.rows("SELECT started_at, started_at_iso FROM runs").first)
        let (at, iso): (Int64, String) = (row[0], row[1])
        #expect(iso.hasSuffix(String(String(at).suffix(6)) + "Z"))
        #expect(iso.count == 27)
        #expect(try directory.integer("SELECT CAST(strftime('%s', '\(iso)') AS INTEGER) = \(at) / 1000000") == 1)
    }
}
