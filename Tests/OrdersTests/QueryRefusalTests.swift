// Who and what is refused, and that a refusal changes nothing.

import Foundation
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Refused over HTTP")
    struct QueryRefusalTests {
        @Test("Names that are not the loopback's, and pages of other origins, are refused on every route")
        func strangers() async throws {
            try await OrdersService.with { service in
                for path in ["/v1/query?sql=SELECT%201", "/v1/runs", "/v1/contexts/1", "/healthz"] {
                    for host in ["evil.example", "evil.example:\(service.port)", "127.0.0.1.evil.example", "10.0.0.1"] {
                        let answer = try await service.postmortem.send(.GET, path, headers: ["host": host])
                        try answer.expectProblem(421, "foreign_host", mentioning: "localhost")
                    }
                    for origin in ["http://evil.example", "https://localhost.evil.example", "null"] {
                        let answer = try await service.postmortem.send(.GET, path, headers: ["origin": origin])
                        try answer.expectProblem(403, "foreign_origin", mentioning: "origin")
                    }
                    let headers: HTTPHeaders = ["sec-fetch-site": "cross-site"]
                    let answer = try await service.postmortem.send(.GET, path, headers: headers)
                    try answer.expectProblem(403, "foreign_origin", mentioning: "site")
                }
                for host in ["localhost", "LOCALHOST:80", "127.0.0.1:\(service.port)", "[::1]:\(service.port)"] {
                    let headers: HTTPHeaders = ["host": host, "origin": "http://\(host)"]
                    #expect(try await service.postmortem.send(.GET, "/healthz", headers: headers).status == 200)
                }
            }
        }

        @Test("SQL that writes is denied and changes nothing")
        func writes() async throws {
            try await OrdersService.with { service in
                try await service.order()
                try await service.settle()
                let sql = "SELECT * FROM events ORDER BY id"
                let rows = try await service.postmortem.lines(sql)
                let before = try service.directory.state
                for sql in Self.writes {
                    for answer in [
                        try await service.postmortem.get("/v1/query", ["sql": sql]),
                        try await service.postmortem.send(.POST, "/v1/query", body: "{\"sql\":\"\(sql)\"}"),
                    ] {
                        try answer.expectProblem(403, "query_denied", mentioning: "only SELECT", "for \(sql)")
                    }
                }
                let after = try service.directory.state
                // The index of the write-ahead log, with the readers' marks, is nothing that lasts.
                let index = "\(OrdersService.trailName)-shm"
                #expect(Set(before.keys) == Set(after.keys))
                #expect(before.keys.filter { $0 != index && before[$0] != after[$0] } == [])
                #expect(try await service.postmortem.lines(sql) == rows)
            }
        }

        @Test("Several statements, none and a broken one are problems too")
        func malformed() async throws {
            try await OrdersService.with { service in
                let wrong = [
                    ("", 400, "query_malformed"), ("SELECT 1; SELECT 2", 400, "query_malformed"),
                    ("SELECT", 400, "query_invalid"), ("SELECT nothing FROM runs", 400, "query_invalid"),
                    ("SELECT * FROM event", 403, "query_denied"), ("SELECT * FROM sqlite_schema", 403, "query_denied"),
                ]
                for (sql, status, code) in wrong {
                    let answer = try await service.postmortem.get("/v1/query", ["sql": sql])
                    try answer.expectProblem(status, code, mentioning: "", "for \(sql)")
                }
            }
        }

        @Test("Contexts that are unknown or not numbers, and methods that a route does not have")
        func routes() async throws {
            try await OrdersService.with { service in
                let postmortem = service.postmortem
                for id in ["1", "4294967296", "-1"] {
                    try await postmortem.get("/v1/contexts/\(id)")
                        .expectProblem(404, "context_not_found", mentioning: "context")
                }
                for id in ["x", "1x", "9223372036854775808", "%20", "1.5"] {
                    try await postmortem.get("/v1/contexts/\(id)")
                        .expectProblem(400, "context_id_malformed", mentioning: "integer")
                }
                let routes = ["/v1/query": "GET, POST", "/v1/runs": "GET", "/v1/contexts/1": "GET", "/healthz": "GET"]
                for (path, allowed) in routes {
                    for method in [HTTPMethod.PUT, .DELETE, .PATCH] {
                        let answer = try await postmortem.send(method, path)
                        try answer.expectProblem(405, "method_not_allowed", mentioning: allowed)
                        #expect(answer["allow"] == allowed)
                    }
                }
                try await postmortem.send(.POST, "/v1/query", headers: ["content-type": "text/plain"], body: "{}")
                    .expectProblem(415, "json_expected", mentioning: "application/json")
            }
        }

        private static let writes = [
            "INSERT INTO run DEFAULT VALUES", "INSERT INTO runs (app) VALUES ('x')", "UPDATE run SET app = 'x'",
            "UPDATE contexts SET outcome = 'ok'", "DELETE FROM event", "DELETE FROM events", "DROP TABLE event",
            "DROP VIEW events", "CREATE TABLE x (y)", "CREATE TEMP TABLE x (y)", "CREATE INDEX x ON event (seq)",
            "ALTER TABLE run ADD COLUMN x", "REPLACE INTO string VALUES (1, 'x')", "VACUUM",
            "VACUUM INTO 'copy.sqlite'", "ATTACH 'other.sqlite' AS other", "PRAGMA user_version = 7",
            "PRAGMA journal_mode = DELETE", "REINDEX",
            "ANALYZE", "BEGIN IMMEDIATE", "WITH x AS (SELECT 1) DELETE FROM event", "EXPLAIN DELETE FROM event",
        ]
    }
}

extension HTTPAnswer {
    /// Expects a problem (RFC 9457) with a status, a code, and a word in its text.
    func expectProblem(
        _ status: Int,
        _ code: String,
        mentioning word: String,
        _ comment: Comment? = nil,
        at location: SourceLocation = #_sourceLocation
    ) throws {
        #expect(self.status == status, comment, sourceLocation: location)
        #expect(self["content-type"] == "application/problem+json", comment, sourceLocation: location)
        #expect(self["cache-control"] == "no-store", comment, sourceLocation: location)
        let json = try self.json
        #expect(json["ok"] == false, comment, sourceLocation: location)
        #expect(json["status"].integer == Int64(status), comment, sourceLocation: location)
        #expect(json["code"].text == code, comment, sourceLocation: location)
        #expect(json["title"].text?.isEmpty == false, comment, sourceLocation: location)
        let detail = json["detail"].text ?? ""
        #expect(word.isEmpty || detail.contains(word), "\(detail)", sourceLocation: location)
    }
}
