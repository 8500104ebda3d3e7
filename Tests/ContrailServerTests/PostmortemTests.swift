// The postmortem routes over a real socket: what they answer, and whom they refuse.

import Contrail
import ContrailServer
import ContrailStore
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceTestSupport
import Testing

private struct AddressedContext: RemoteAddressRequestContext {
    var coreContext: CoreRequestContextStorage
    let remoteAddress: SocketAddress?

    init(source: Source) {
        self.coreContext = CoreRequestContextStorage(source: source)
        self.remoteAddress = source.channel.remoteAddress
    }
}

@Suite("The postmortem service")
struct PostmortemTests {
    /// Serves a trail with three requests, one of them failed.
    private func withPostmortem(_ operation: (RunningServer, TrailStore) async throws -> Void) async throws {
        struct Boom: Error {}
        let directory = try TemporaryDirectory()
        let trail = try TrailStore(path: directory.file("contrail.sqlite"), app: "shop")
        defer { trail.close() }
        let app = App("shop", recorder: trail.recorder)
        for order in 1...3 {
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(order)")
            try? withRequestContext(app, head) { context in
                try context.g["order_id"] = order
                if order == 3 { throw Boom() }
            }
        }
        await trail.flush()
        let router = Router(context: AddressedContext.self)
        Postmortem(trail).addRoutes(to: router.group("_contrail"))
        try await withServer(router) { server in try await operation(server, trail) }
    }

    private func object(_ data: Data) throws -> [String: any Sendable] {
        try #require(try JSONSerialization.jsonObject(with: data) as? [String: any Sendable])
    }

    @Test("a query by POST is answered in the documented form")
    func post() async throws {
        try await self.withPostmortem { server, _ in
            let (response, data) = try await server.send(
                "POST",
                "/_contrail/v1/query",
                headers: ["Content-Type": "application/json"],
                body: #"{"sql":"SELECT path, outcome FROM contexts WHERE kind = 'request' ORDER BY context_id"}"#
            )
            #expect(response.status == 200)
            #expect(response.header("Cache-Control") == "no-store")
            let text = String(decoding: data, as: UTF8.self)
            #expect(
                text.hasPrefix(
                    #"{"ok":true,"columns":[{"name":"path","type":"text"},{"name":"outcome","type":"text"}],"#
                        + #""rows":[["/orders/1","ok"],["/orders/2","ok"],["/orders/3","failed"]],"#
                        + #""truncated":false,"reason":null,"next":null,"stats":{"ms":"#
                )
            )
            #expect(text.hasSuffix(#","rows":3,"bytes":\#(9 * 3 + 2 + 2 + 6)}}"#))
        }
    }

    @Test("GET and POST give the same rows, with parameters by name and by position")
    func parameters() async throws {
        try await self.withPostmortem { server, _ in
            let byName = try await server.send(
                "POST",
                "/_contrail/v1/query",
                headers: ["Content-Type": "application/json"],
                body: #"{"sql":"SELECT :a + 1, :b, :c","params":{"a":41,"b":"x","c":null}}"#
            )
            let query = "sql=SELECT%20?%20%2B%201,%20?,%20?&params=%5B41,%22x%22,null%5D"
            let byPosition = try await server.send("GET", "/_contrail/v1/query?\(query)")
            for (response, data) in [byName, byPosition] {
                #expect(response.status == 200)
                #expect(String(decoding: data, as: UTF8.self).contains(#""rows":[[42,"x",null]]"#))
            }
        }
    }

    @Test("a plus in the URL is a blank, and an encoded plus is a plus, as curl -G sends them")
    func formEncoding() async throws {
        try await self.withPostmortem { server, _ in
            let (response, data) = try await server.send("GET", "/_contrail/v1/query?sql=SELECT+1%2B1")
            #expect(response.status == 200)
            #expect(String(decoding: data, as: UTF8.self).contains(#""rows":[[2]]"#))
        }
    }

    @Test("values that JSON cannot say are said otherwise")
    func values() async throws {
        try await self.withPostmortem { server, _ in
            let (_, data) = try await server.send(
                "POST",
                "/_contrail/v1/query",
                headers: ["Content-Type": "application/json"],
                body: #"{"sql":"SELECT 9e999, x'ff', char(7) || '<\"\\', 9223372036854775807"}"#
            )
            let text = String(decoding: data, as: UTF8.self)
            #expect(text.contains(#"[[null,{"base64":"/w=="},"\u0007<\"\\",9223372036854775807]]"#))
            #expect(text.contains(#""nonfinite_as_null":true"#))
        }
    }

    @Test("limits cut, and the answer says so")
    func truncation() async throws {
        try await self.withPostmortem { server, _ in
            let (_, data) = try await server.send("GET", "/_contrail/v1/query?limit=2&sql=SELECT%20id%20FROM%20events")
            let object = try self.object(data)
            #expect(object["truncated"] as? Bool == true)
            #expect(object["reason"] as? String == "rows")
            #expect((object["rows"] as? [any Sendable])?.count == 2)
        }
    }

    @Test(
        "a query that is refused is a problem with a stable code",
        arguments: [
            ("DELETE FROM events", 403, "query_denied"),
            ("SELECT value FROM string", 403, "query_denied"),
            ("SELECT nothing FROM contexts", 400, "query_invalid"),
            ("SELECT 1; SELECT 2", 400, "query_malformed"),
            ("", 400, "query_malformed"),
            ("SELECT hex(zeroblob(1000000))", 422, "query_too_big"),
        ]
    )
    func refusal(sql: String, status: Int, code: String) async throws {
        try await self.withPostmortem { server, _ in
            let body = try JSONSerialization.data(withJSONObject: ["sql": sql])
            let (response, data) = try await server.send(
                "POST",
                "/_contrail/v1/query",
                headers: ["Content-Type": "application/json"],
                body: String(decoding: body, as: UTF8.self)
            )
            #expect(response.status == status)
            #expect(response.header("Content-Type") == "application/problem+json")
            let object = try self.object(data)
            #expect(object["code"] as? String == code)
            #expect(object["status"] as? Int == status)
            #expect((object["detail"] as? String)?.isEmpty == false)
        }
    }

    @Test("a query without end stops at its time limit")
    func timeout() async throws {
        try await self.withPostmortem { server, _ in
            let sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"
            let (response, data) = try await server.send(
                "POST",
                "/_contrail/v1/query",
                headers: ["Content-Type": "application/json"],
                body: #"{"sql":"\#(sql)","timeout_ms":100}"#
            )
            #expect(response.status == 422)
            #expect(try self.object(data)["code"] as? String == "query_timeout")
        }
    }

    @Test("malformed requests are refused before any SQL runs")
    func malformed() async throws {
        try await self.withPostmortem { server, _ in
            let json = ["Content-Type": "application/json"]
            let path = "/_contrail/v1/query"
            let cases: [(String, String, [String: String], String?, Int)] = [
                ("POST", path, ["Content-Type": "text/plain"], #"{"sql":"SELECT 1"}"#, 415),
                ("POST", path, json, "{", 400),
                ("POST", path, json, "[]", 400),
                ("POST", path, json, #"{"sql":7}"#, 400),
                ("POST", path, json, #"{"sql":"SELECT 1","limit":"many"}"#, 400),
                ("POST", path, json, String(repeating: "[", count: 100_000), 400),
                ("POST", path, json, #"{"sql":"\#(String(repeating: " ", count: 200_000))"}"#, 413),
                ("GET", path + "?sql=SELECT%201&sql=SELECT%202", [:], nil, 400),
                ("GET", path + "?sql=SELECT%201&limit=x", [:], nil, 400),
                ("GET", path + "?sql=SELECT%20'%FF'", [:], nil, 400),
                ("GET", path, [:], nil, 400),
                ("PUT", path, json, "{}", 405),
                ("DELETE", "/_contrail/v1/runs", [:], nil, 405),
            ]
            for (method, path, headers, body, status) in cases {
                let (response, data) = try await server.send(method, path, headers: headers, body: body)
                #expect(response.status == status, "\(method) \(path.prefix(60)) \(body?.prefix(40) ?? "")")
                #expect(response.header("Content-Type") == "application/problem+json")
                #expect(try self.object(data)["ok"] as? Bool == false)
                if status == 405 { #expect(response.header("Allow")?.hasPrefix("GET") == true) }
            }
        }
    }

    @Test("foreign names and foreign pages are refused")
    func strangers() async throws {
        try await self.withPostmortem { server, _ in
            let refusals: [([String: String], Int, String)] = [
                (["Host": "evil.example"], 421, "foreign_host"),
                (["Host": "127.0.0.1.evil.example"], 421, "foreign_host"),
                (["Origin": "https://evil.example"], 403, "foreign_origin"),
                (["Origin": "null"], 403, "foreign_origin"),
                (["Sec-Fetch-Site": "cross-site"], 403, "foreign_origin"),
            ]
            for (headers, status, code) in refusals {
                let (response, data) = try await server.send("GET", "/_contrail/v1/runs", headers: headers)
                #expect(response.status == status)
                #expect(try self.object(data)["code"] as? String == code)
                #expect(response.header("Access-Control-Allow-Origin") == nil)
            }
            for host in ["localhost", "127.0.0.1:\(server.port)", "[::1]:80"] {
                let (response, _) = try await server.send("GET", "/_contrail/v1/runs", headers: ["Host": host])
                #expect(response.status == 200, "\(host)")
            }
        }
    }

    @Test("one context comes with its events, hooks, snapshots and problems")
    func context() async throws {
        try await self.withPostmortem { server, trail in
            let (_, data) = try await server.send("GET", "/_contrail/v1/contexts/\((trail.runID << 32) + 6)")
            let object = try self.object(data)
            let context = try #require(object["context"] as? [String: any Sendable])
            #expect(context["path"] as? String == "/orders/3")
            #expect(context["outcome"] as? String == "failed")
            let snapshots = try #require(object["g_snapshots"] as? [[String: any Sendable]])
            #expect(snapshots.map { $0["g_json"] as? String } == [#"{"order_id":3}"#])
            #expect(snapshots.map { $0["label"] as? String } == ["failure"])
            #expect((object["events"] as? [any Sendable])?.count == 3)
            let (missing, _) = try await server.send("GET", "/_contrail/v1/contexts/1")
            #expect(missing.status == 404)
            let (malformed, _) = try await server.send("GET", "/_contrail/v1/contexts/x")
            #expect(malformed.status == 400)
        }
    }

    @Test("health and runs say what is being written")
    func health() async throws {
        try await self.withPostmortem { server, trail in
            let (_, runs) = try await server.send("GET", "/_contrail/v1/runs")
            let list = try #require(try self.object(runs)["runs"] as? [[String: any Sendable]])
            #expect(list.map { $0["run_uuid"] as? String } == [trail.runUUID])
            let (_, health) = try await server.send("GET", "/_contrail/healthz")
            let recorder = try #require(try self.object(health)["recorder"] as? [String: Int])
            #expect(recorder["produced"] == recorder["stored"])
            #expect(recorder["dropped"] == 0)
        }
    }

    @Test("a trail that is gone is a problem of the service, not a crash")
    func gone() async throws {
        let router = Router(context: AddressedContext.self)
        Postmortem(database: "/nowhere/contrail.sqlite").addRoutes(to: router.group())
        try await withServer(router) { server in
            let (response, data) = try await server.send("GET", "/healthz")
            #expect(response.status == 503)
            #expect(try self.object(data)["code"] as? String == "inaccessible")
        }
    }

    @Test("the figures of the writing are in stats and in metrics, each of which is documented, and readyz says well")
    func status() async throws {
        try await self.withPostmortem { server, trail in
            let (ready, _) = try await server.send("GET", "/_contrail/readyz")
            #expect(ready.status == 200)
            let (response, data) = try await server.send("GET", "/_contrail/v1/stats")
            #expect(response.status == 200)
            let writing = try #require(try self.object(data)["writing"] as? [String: any Sendable])
            let events = try #require(writing["events"] as? [String: any Sendable])
            let figures = ["stored", "dropped", "torn", "sampled_out", "waiting"].compactMap { events[$0] as? Int }
            #expect(figures.count == 5 && figures.reduce(0, +) == events["produced"] as? Int)
            #expect(writing["mode"] as? String == "group(25)")
            let ring = try #require(writing["ring"] as? [String: any Sendable])
            #expect(ring["path"] as? String == trail.ringPath)
            #expect(ring["slots"] as? Int == 65_536)

            let (page, text) = try await server.send("GET", "/_contrail/metrics")
            #expect(page.header("Content-Type")?.hasPrefix("text/plain") == true)
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n")
            let names = Set(
                lines.filter { !$0.hasPrefix("#") }.compactMap { $0.split { $0 == " " || $0 == "{" }.first }
            )
            #expect(names.contains("contrail_events_produced_total"))
            let document = try Self.document()
            let described = Set(
                document.split { !($0.isLetter || $0.isNumber || $0 == "_") }.filter { $0.hasPrefix("contrail_") }
            )
            #expect(names == described)
            for member in writing.keys + Array(events.keys) + ring.keys {
                #expect(document.contains("`\(member)`"), "\(member)")
            }
            for reason in TrailStore.Degradation.all { #expect(document.contains("`\(reason)`"), "\(reason)") }
        }
    }

    private static func document() throws -> String {
        let root = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: root.appendingPathComponent("docs/http.md"), encoding: .utf8)
    }
}
