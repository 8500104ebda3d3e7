// What v1/query and the ready-made routes answer.

import Foundation
import NIOHTTP1
import ProcessSupport
import Testing

extension OrdersTests {
    @Suite("Asked over HTTP")
    struct QueryAnswerTests {
        @Test("GET and POST give the same answer, with parameters by position, by name, and none")
        func forms() async throws {
            try await OrdersService.with { service in
                for _ in 0..<3 { try await service.order() }
                _ = try await service.send(.GET, "/boom?order=1")
                try await service.settle()
                let count = "SELECT count(*) AS n, min(path) AS p FROM contexts WHERE kind = 'request' AND outcome"
                let forms = [
                    ("\(count) = 'ok'", nil, "3|/orders"),
                    ("\(count) = ?", #"["ok"]"#, "3|/orders"),
                    ("\(count) = :wanted", #"{"wanted":"failed"}"#, "1|/boom"),
                    ("\(count) = @wanted", #"{"@wanted":"failed"}"#, "1|/boom"),
                    ("\(count) <> ?2 AND run_id = ?1", #"[1,"ok"]"#, "1|/boom"),
                    ("SELECT typeof(?), typeof(?), ?, ?", #"[null,true,1.5,"é\"\n"]"#, "null|integer|1.5|é\"\n"),
                ]
                for (sql, params, row) in forms {
                    let got = try await Self.get(service, sql, params)
                    let posted = try await Self.post(service, sql, params)
                    #expect(got == posted, "\(sql)")
                    #expect(got["ok"] == true)
                    #expect(got["rows"].elements.map { $0.elements.map(\.cell).joined(separator: "|") } == [row])
                }
                let columns = try await Self.get(service, "\(count) = 'ok'", nil)["columns"].elements
                #expect(columns.map { $0["name"] } == ["n", "p"])
                #expect(columns.map { $0["type"] } == ["integer", "text"])
            }
        }

        @Test("A missing or superfluous parameter is a problem that names it")
        func parameters() async throws {
            try await OrdersService.with { service in
                let wrong = [
                    ("SELECT ?, ?", #"[1]"#, "parameter 2"), ("SELECT ?", #"[1,2]"#, "value 2"),
                    ("SELECT :a", #"{"b":1}"#, ":a"), ("SELECT :a", #"{"a":1,"b":2}"#, "b"),
                ]
                for (sql, params, named) in wrong {
                    let members: KeyValuePairs = ["sql": sql, "params": params]
                    let answer = try await service.postmortem.get("/v1/query", members)
                    try answer.expectProblem(400, "query_invalid", mentioning: named)
                }
                let broken = try await service.postmortem.get("/v1/query", ["sql": "SELECT ?", "params": "[1"])
                try broken.expectProblem(400, "query_malformed", mentioning: "params")
            }
        }

        @Test("Rows beyond the limit are cut off, and the answer says so")
        func rowLimit() async throws {
            try await OrdersService.with { service in
                for _ in 0..<2 { try await service.order() }
                try await service.settle()
                let sql = "SELECT seq FROM events ORDER BY seq"
                for (limit, isCut) in [("5", true), ("10000", false)] {
                    let json = try await service.postmortem.get("/v1/query", ["sql": sql, "limit": limit]).json
                    #expect(json["truncated"] == .bool(isCut))
                    #expect(json["reason"] == (isCut ? "rows" : .null))
                    #expect(json["stats"]["rows"].integer == Int64(json["rows"].elements.count))
                    if isCut { #expect(json["rows"].elements == (1...5).map { .array([.integer($0)]) }) }
                }
            }
        }

        @Test("A query that runs too long is stopped within a second after its limit, and the next one is answered")
        func timeout() async throws {
            try await OrdersService.with { service in
                let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
                let begin = ContinuousClock.now
                let answer = try await service.postmortem.get("/v1/query", ["sql": endless, "timeout_ms": "500"])
                let time = ContinuousClock.now - begin
                try answer.expectProblem(422, "query_timeout", mentioning: "limit")
                #expect(time >= .milliseconds(500) && time < .milliseconds(1500))
                #expect(try await service.postmortem.lines("SELECT 1") == ["1"])
            }
        }

        @Test("One context is answered with everything that belongs to it")
        func context() async throws {
            try await OrdersService.with { service in
                _ = try await service.send(.GET, "/leak")
                try await service.settle()
                let sql = "SELECT context_id FROM contexts WHERE kind = 'app' ORDER BY outcome = 'leaked'"
                let ids = try await service.postmortem.lines(sql)
                try #require(ids.count == 2)
                let owner = try await service.postmortem.get("/v1/contexts/\(ids[0])").json
                #expect(owner["ok"] == true)
                #expect(owner["context"]["outcome"] == "ok")
                let children = Set(owner["children"].elements.map { $0["kind"] })
                #expect(children == ["request", "app"])
                let leaked = try await service.postmortem.get("/v1/contexts/\(ids[1])").json
                #expect(leaked["context"]["outcome"] == "leaked")
                #expect(leaked["context"]["parent_id"].integer.map(String.init) == ids[0])
                let kinds = leaked["events"].elements.map { $0["kind"] }
                #expect(kinds == ["app_push", "leak", "teardown", "teardown", "app_pop"])
                #expect(leaked["teardowns"].elements.map { $0["hook"] } == ["forget_order", "close_connection"])
                #expect(leaked["problems"].elements.map { $0["kind"] } == ["leak"])
                #expect(leaked["problems"].elements.first?["site"] == leaked["context"]["push_site"])
            }
        }

        @Test("The runs and the health of a service that runs")
        func runs() async throws {
            try await OrdersService.with { service in
                let runs = try await service.postmortem.get("/v1/runs").json["runs"].elements
                let health = try await service.postmortem.get("/healthz").json
                #expect(runs.count == 1)
                #expect(runs.first?["app"] == "orders")
                #expect(runs.first?["end_state"] == "running")
                #expect(runs.first?["pid"].integer == Int64(service.program.processID))
                #expect(health["ok"] == true && health["runs"] == 1)
                #expect(health["run_uuid"] == runs.first?["run_uuid"])
                #expect(health["run_id"] == runs.first?["run_id"])
            }
        }

        private static func get(_ service: OrdersService, _ sql: String, _ params: String?) async throws -> JSONValue {
            let postmortem = service.postmortem
            let answer =
                if let params {
                    try await postmortem.get("/v1/query", ["sql": sql, "params": params])
                } else {
                    try await postmortem.get("/v1/query", ["sql": sql])
                }
            return try Self.comparable(answer)
        }

        private static func post(_ service: OrdersService, _ sql: String, _ params: String?) async throws -> JSONValue {
            let text = String(decoding: try JSONEncoder().encode(sql), as: UTF8.self)
            let body = "{\"sql\":\(text)\(params.map { ",\"params\":\($0)" } ?? "")}"
            return try Self.comparable(try await service.postmortem.send(.POST, "/v1/query", body: body))
        }

        /// The answer without the time that it took.
        private static func comparable(_ answer: HTTPAnswer) throws -> JSONValue {
            var json = try answer.json
            json["stats"]["ms"] = .null
            return json
        }
    }
}
