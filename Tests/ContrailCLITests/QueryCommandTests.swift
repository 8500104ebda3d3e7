// contrail query: rows on standard output.

import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("contrail query")
    struct QueryCommandTests {
        private static let contexts = """
            SELECT context_id, kind, outcome, method, path, error, 0.5 AS half FROM contexts ORDER BY context_id
            """

        private static func query(
            _ arguments: [String],
            in directory: TemporaryDirectory
        ) async throws -> Program.Result {
            try await Program.run("contrail", ["query", "--db", DeadTrail.name] + arguments, in: directory)
        }

        @Test("A table has a header, columns as wide as needed, and numbers to the right")
        func table() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let result = try await Self.query([Self.contexts], in: directory)
                #expect(result.errors == "")
                #expect(result.ending == .exited(0))
                #expect(
                    result.output == """
                        context_id  kind     outcome  method  path  error        half
                        ----------  -------  -------  ------  ----  -----------  ----
                        4294967297  app      ok                                   0.5
                        4294967298  request  ok       GET     /tea                0.5
                        4294967299  app      failed                 no tea left   0.5
                        4294967300  request  failed   POST    /tea  no tea left   0.5

                        """
                )
            }
        }

        @Test("JSON has one object a line, with the columns in their order")
        func json() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let sql = "SELECT context_id, outcome, path, error, 0.5 AS half FROM contexts ORDER BY context_id"
                let result = try await Self.query(["--format", "json", sql], in: directory)
                #expect(result.errors == "")
                #expect(result.ending == .exited(0))
                #expect(
                    result.output == """
                        {"context_id":4294967297,"outcome":"ok","path":null,"error":null,"half":0.5}
                        {"context_id":4294967298,"outcome":"ok","path":"/tea","error":null,"half":0.5}
                        {"context_id":4294967299,"outcome":"failed","path":null,"error":"no tea left","half":0.5}
                        {"context_id":4294967300,"outcome":"failed","path":"/tea","error":"no tea left","half":0.5}

                        """
                )
            }
        }

        @Test("Text with quotes, line breaks and control characters stays on one line")
        func hostileText() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let text = #"json_extract('{"t":"a\"b\n\u001bé/c"}', '$.t')"#
                let sql = "SELECT \(text) AS text, x'00ff' AS bytes, NULL AS absent"
                let json = try await Self.query(["--format", "json", sql], in: directory)
                #expect(json.output == #"{"text":"a\"b\n\u001bé/c","bytes":{"base64":"AP8="},"absent":null}"# + "\n")
                let table = try await Self.query([sql], in: directory)
                #expect(table.output.split(separator: "\n").last == "a\"b  é/c  <2 bytes>")
            }
        }

        @Test("Rows beyond the limit are cut off, and standard error says so")
        func limit() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let sql = "SELECT context_id FROM contexts ORDER BY context_id"
                let result = try await Self.query(["--limit", "2", "--format", "json", sql], in: directory)
                #expect(result.ending == .exited(0))
                #expect(result.output == "{\"context_id\":4294967297}\n{\"context_id\":4294967298}\n")
                #expect(result.errors.split(separator: "\n").count == 1)
                #expect(result.errors.contains("limit of rows after 2 rows"))
            }
        }

        @Test("A query that runs too long is stopped, with the time limit named")
        func timeout() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                let result = try await Self.query(["--timeout", "1", endless], in: directory)
                #expect(result.ending == .exited(1))
                #expect(result.output.isEmpty)
                #expect(result.errors.contains("longer than 1.0 seconds"))
            }
        }

        @Test("Reading leaves the directory as it was")
        func readsOnly() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let before = try directory.state
                let result = try await Self.query([Self.contexts], in: directory)
                #expect(result.ending == .exited(0))
                #expect(try directory.state == before)
            }
        }
    }
}
