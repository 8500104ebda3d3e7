// What the level `replay` writes down of requests, responses and drawn values.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Testing

@Suite("The level replay")
struct ReplayLevelTests {
    private struct Clock: ContextClock {
        func now() -> Date { Date(timeIntervalSinceReferenceDate: 700_000_000.125) }
    }

    private struct Bits: RandomSource {
        func next() -> UInt64 { 0xFEDC_BA98_7654_3210 }
    }

    private struct IDs: IDGenerator {
        func makeID() -> String { "order-1" }
    }

    private struct Rates: Codable, Sendable {
        var eur = 1.25
    }

    private struct Offline: Error {}

    private func app(_ trail: TrailStore, level: FlightRecorder.Level? = .replay) -> App {
        App(
            "shop",
            recorder: trail.recorder,
            recording: .init(level: level),
            clock: Clock(),
            ids: IDs(),
            random: Bits()
        )
    }

    private func request(_ body: [UInt8] = [], headers: HTTPFields = [:]) -> HTTPRequest {
        HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/orders?a=1", headerFields: headers)
    }

    /// The bodies of the parts of one kind, put together again.
    private func body(_ kind: String, _ directory: TemporaryTrail) throws -> Data {
        try directory.rows(
            """
            SELECT detail ->> '$.body', (SELECT max(p.detail ->> '$.encoding') FROM events AS p WHERE p.kind = e.kind)
            FROM events AS e WHERE kind = '\(kind)' ORDER BY seq
            """
        )
        .reduce(into: Data()) { data, row in
            let text: String = row[0]
            data += row[1] as String == "text" ? Data(text.utf8) : try #require(Data(base64Encoded: text))
        }
    }

    @Test("a dispatch leaves the request as it came in and the response as it went out")
    func dispatch() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = self.app(trail)
        try app.route("/orders", methods: [.post]) { _ in "made\n\"it\"" }
        let headers: HTTPFields = [.contentType: "text/plain", .authorization: "Bearer abcdefghijklmnop", .te: "x"]
        _ = try app.dispatch(self.request(headers: headers), body: Array("two teas".utf8))
        trail.close()
        let input = try #require(try directory.rows("SELECT detail FROM events WHERE kind = 'request_input'").first)
        #expect(
            input[0] as String
                == #"{"part":1,"parts":1,"method":"POST","target":"/orders?a=1","headers":[["content-type","text/plain"],"#
                + #"["authorization",{"redacted":true,"type":"text"}]],"omitted_headers":1,"size":8,"encoding":"text","#
                + #""hash":"fnv1a64:3d6296cc51e7d838","redacted":["header:authorization"],"body":"two teas"}"#
        )
        #expect(try directory.integer("SELECT detail ->> '$.status' FROM events WHERE kind = 'response_output'") == 200)
        #expect(try self.body("response_output", directory) == Data("made\n\"it\"".utf8))
        let kinds = try directory.texts("SELECT kind FROM events WHERE kind LIKE 'request%' OR kind LIKE 'response%'")
        #expect(Set(kinds) == ["request_push", "request_input", "response_output", "request_pop"])
    }

    @Test(
        "bodies of any bytes come out again, cut at 64 KiB, in cells of less than 96 KiB",
        arguments: [
            (0, 100), (1, 70_000), (2, 70_000), (3, 65_536), (4, 40_000),
        ]
    )
    func bodies(kind: Int, count: Int) throws {
        let bytes: [UInt8] =
            switch kind {
            case 0: (0..<count).map { UInt8($0 & 255) }
            case 1: (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            case 2: Array(String(repeating: "\"\\ä", count: count / 4).utf8.prefix(count))
            case 3: Array(repeating: UInt8(ascii: "x"), count: count)
            default: Array(String(repeating: "a\n", count: count / 2).utf8)
            }
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 65_536)
        let app = self.app(trail)
        try withRequestContext(App.RequestContext(app, self.request(), body: bytes), as: app) {}
        trail.close()
        #expect(try self.body("request_input", directory) == Data(bytes.prefix(65_536)))
        #expect(try directory.integer("SELECT max(length(extra)) FROM event") ?? .max <= 96 * 1024)
        let first = try #require(
            try directory.rows(
                """
                SELECT detail ->> '$.size', detail ->> '$.cut', detail ->> '$.parts' FROM events
                WHERE kind = 'request_input'
                """
            ).first
        )
        #expect(first[0] as Int == bytes.count)
        #expect((first[1] as Int?) == (bytes.count > 65_536 ? 1 : nil))
        #expect(try directory.integer("SELECT count(*) FROM events WHERE kind = 'request_input'") == first[2] as Int)
    }

    @Test("secrets in target and body become placeholders that are named, and the hash is left out")
    func secrets() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = self.app(trail)
        let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/login?token=hunter2-a")
        try app.route("/login", methods: [.post]) { _ in #"{"session_token":"hunter2-b"}"# }
        _ = try app.dispatch(head, body: Array(#"{"user":"ann","password":"hunter2-c"}"#.utf8))
        trail.close()
        for (name, bytes) in try directory.contents() {
            #expect(bytes.range(of: Data("hunter2".utf8)) == nil, "\(name)")
        }
        #expect(
            try directory.texts("SELECT detail ->> '$.redacted' FROM events WHERE kind = 'request_input'")
                == [#"["target","body"]"#]
        )
        #expect(try directory.texts("SELECT detail ->> '$.hash' FROM events WHERE kind = 'request_input'") == [nil])
        #expect(
            try directory.texts("SELECT detail ->> '$.redacted' FROM events WHERE kind = 'response_output'")
                == [#"["body"]"#]
        )
    }

    @Test("what is drawn is recorded in order, with its type, losslessly, by app and request context alike")
    func drawn() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = self.app(trail)
        try await withRequestContext(app, self.request()) { context async throws in
            _ = context.now
            _ = try Current.app
            _ = context.makeID()
            _ = context.random.next(upperBound: 2 as UInt64)
            _ = context.value("rates") { Rates() }
            _ = try await context.value("count") { () async throws in 3 }
            _ = context.value("pin") { 4711 }
            _ = try? context.value("weather") { () throws -> Int in throw Offline() }
        }
        await trail.flush()
        let rows = try directory.rows("SELECT name, detail FROM events WHERE kind = 'drawn' ORDER BY seq")
        let texts = rows.map { "\($0[0] as String) \($0[1] as String)" }
        #expect(texts.count == 7)
        #expect(texts[0] == #"now {"type":"Date","value":700000000.125}"#)
        #expect(texts[1] == #"id {"type":"Swift.String","value":"order-1"}"#)
        #expect(texts[2] == #"random {"type":"UInt64","value":"fedcba9876543210"}"#)
        #expect(texts[3].hasSuffix(#"Rates","value":{"eur":1.25}}}"#))
        #expect(texts[4] == #"count {"type":"Swift.Int","value":3}"#)
        #expect(texts[5] == #"pin {"type":"Swift.Int","value":{"redacted":true}}"#)
        #expect(texts[6].contains(#""type":"throws""#) && texts[6].contains("Offline"))
        trail.close()
    }

    @Test("neither bodies nor drawn values are recorded below the level, and a test may ask for it")
    func perTest() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = self.app(trail, level: nil)
        try app.route("/") { context in context.makeID() == "" ? "no" : "yes" }
        _ = try app.testClient().get("/")
        #expect(try app.testClient(level: .replay).get("/").text == "yes")
        trail.close()
        let kinds = "SELECT kind FROM events WHERE kind IN ('request_input', 'response_output', 'drawn') ORDER BY seq"
        #expect(try directory.texts(kinds) == ["request_input", "drawn", "response_output"])
    }

    @Test("what went in can be read from the ring that a process left")
    func recovery() throws {
        let directory = try TemporaryTrail()
        let path = "\(directory.directory)/ring"
        let memory = try RingMemory.create(RingLayout(slots: 1024), at: path)
        let recorder = FlightRecorder(configuration: .init(level: .replay), memory: memory)
        let app = App("shop", recorder: recorder, recording: .init(level: .replay))
        let context = App.RequestContext(app, self.request(), body: Array("two teas".utf8))
        try withRequestContext(context, as: app) { try context.g["list"] = [1, 2] }
        var ring = try DeadRing(path: path)
        var inputs: [String] = []
        while let finding = ring.next() {
            guard case .event(let event) = finding else { continue }
            if case .requestInput(let json) = event.body { inputs.append(json) }
        }
        #expect(inputs.count == 1)
        #expect(inputs.first?.hasSuffix(#""body":"two teas"}"#) == true)
    }
}

/// Enters a context that was made before.
private func withRequestContext(_ context: App.RequestContext, as app: App, _ body: () throws -> Void) throws {
    try withAppContext(app) { _ throws in
        try context.push()
        try body()
        try context.pop()
    }
}
