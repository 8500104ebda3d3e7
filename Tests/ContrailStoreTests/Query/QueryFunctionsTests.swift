// The replaced functions answer what SQLite's own answer.

import GRDBSQLite
import Testing

@testable import ContrailStore

private let texts = [
    "NULL", "''", "'a'", "'aXbXa'", "'äöäü'", "x'00ff61'", "'  x y '", "12345", "1.5",
    "'ä%_b'", "'a]b-c^'", "'ABCabc'",
]

@Suite("Replaced functions")
struct QueryFunctionsTests {
    private func original(_ sql: String) throws -> QueryValue {
        var database: OpaquePointer?
        var statement: OpaquePointer?
        sqlite3_open(":memory:", &database)
        defer { sqlite3_close_v2(database) }
        sqlite3_limit(database, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256)
        guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw StoreError(.queryInvalid, sql)
        }
        defer { sqlite3_finalize(statement) }
        guard sqlite3_step(statement) == SQLITE_ROW else { throw StoreError(.queryInvalid, sql) }
        var rows = QueryRows(of: statement, limits: QueryLimits())
        _ = rows.take()
        return rows.rows[0][0]
    }

    @Test("instr, replace and the trims answer the same", arguments: texts, texts)
    func same(_ left: String, _ right: String) throws {
        let connection = try QueryTrail(rows: false).connection()
        for call in ["instr", "trim", "ltrim", "rtrim"] {
            let sql = "SELECT \(call)(\(left), \(right))"
            #expect(try connection.run(sql).rows == [[self.original(sql)]], "\(sql)")
        }
        for sql in [
            "SELECT replace(\(left), \(right), 'ß')", "SELECT trim(\(left))", "SELECT ltrim(\(left))",
            "SELECT rtrim(\(left))",
        ] {
            #expect(try connection.run(sql).rows == [[self.original(sql)]], "\(sql)")
        }
    }

    @Test(
        "LIKE and GLOB answer the same",
        arguments: texts,
        [
            "''", "'%'", "'a%'", "'%a'", "'%x%'", "'_x_X_'", "'ä%'", "'*'", "'a*a'", "'?X*'", "'[a-c]*'", "'*[^a]'",
            "'*[]]*'",
            "'*[a'", "'[^]]*'", "'*-[c-]?'", "'%\\%%'", "'ABC%'", "'abcABC'", "'[--b]*'", "NULL", "x'61'", "'12%5'",
        ]
    )
    func patterns(_ text: String, _ pattern: String) throws {
        let connection = try QueryTrail(rows: false).connection()
        for sql in ["\(text) LIKE \(pattern)", "\(text) GLOB \(pattern)", "\(text) LIKE \(pattern) ESCAPE '\\'"] {
            #expect(try connection.run("SELECT \(sql)").rows == [[self.original("SELECT \(sql)")]], "\(sql)")
        }
    }

    @Test(
        "json_quote answers the same, and knows JSON that SQLite made",
        arguments: texts.filter { !$0.hasPrefix("x") } + [
            #"'say "no" \ or'"#, "char(1, 8, 9, 10, 12, 13, 31, 127)", "json('[1]')", "json_quote('a')", "-7", "1e300",
        ]
    )
    func quote(_ value: String) throws {
        let connection = try QueryTrail(rows: false).connection()
        for sql in ["SELECT json_quote(\(value))", "SELECT json_array(json_quote(\(value)))"] {
            #expect(try connection.run(sql).rows == [[self.original(sql)]], "\(sql)")
        }
        #expect(code { try connection.run("SELECT json_quote(x'61')") } == .queryInvalid)
    }

    @Test(
        "the JSON arrow answers the same",
        arguments: ["'{\"a\":[1,2.5,\"x\",null,{}]}'", "'[1,2]'", "NULL", "'7'"],
        ["'$.a'", "'a'", "'$.a[1]'", "'$.a[2]'", "'$.a[4]'", "0", "1", "'$'", "NULL"]
    )
    func arrow(_ json: String, _ path: String) throws {
        let connection = try QueryTrail(rows: false).connection()
        let sql = "SELECT \(json) ->> \(path)"
        #expect(try connection.run(sql).rows == [[self.original(sql)]])
        #expect(code { try connection.run("SELECT '{' ->> 'a'") } == .queryInvalid)
    }
}
