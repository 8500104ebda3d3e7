// docs/sql.md and docs/http.md name everything that there is.

import ContrailRecorder
import ContrailStore
import Foundation
import Testing

@Suite("The documentation of the trail")
struct SQLDocumentationTests {
    private func document(_ name: String) throws -> String {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/\(name)"), encoding: .utf8)
    }

    @Test("every event kind is described")
    func kinds() throws {
        let text = try self.document("sql.md")
        for kind in EventKind.all { #expect(text.contains("| `\(kind)` |"), "\(kind)") }
    }

    @Test("every column of every published name is described", arguments: publishedColumns.keys.sorted())
    func columns(of name: String) throws {
        let sections = try self.document("sql.md").components(separatedBy: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix("\(name)\n") })
        for column in try #require(publishedColumns[name]).split(separator: " ") {
            #expect(section.contains("`\(column)`"), "\(name).\(column)")
        }
    }

    @Test("every code of an error that a client may see is described")
    func codes() throws {
        let text = try self.document("http.md")
        let codes: [StoreError.Code] = [
            .inaccessible, .notADatabase, .notATrail, .locked, .damaged, .databaseFailure, .queryMalformed,
            .queryInvalid,
            .queryDenied, .queryTimeout, .queryCancelled, .queryTooBig, .queryQueueFull,
        ]
        for code in codes { #expect(text.contains("`\(code)`"), "\(code)") }
    }

    @Test("the questions of docs/sql.md can be asked in the sandbox")
    func examples() async throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        let pool = QueryPool(path: directory.path)
        defer { pool.close() }
        let block = try #require(try self.document("sql.md").components(separatedBy: "```sql\n").dropFirst().first)
        let statements = block.prefix { $0 != "`" }.split(separator: ";").map(String.init)
            .filter { $0.contains("SELECT") }
        #expect(statements.count == 7)
        for statement in statements { _ = try await pool.run(statement) }
    }
}
