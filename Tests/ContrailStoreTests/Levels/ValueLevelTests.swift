// What the level `full` keeps of values, and what it does not.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Testing

@Suite("Values at the level full")
struct ValueLevelTests {
    struct Cart: Codable, Sendable {
        var id = 7
        var items = ["tea", "milk"]
    }

    struct Login: Codable, Sendable {
        var user = "ann"
        var password = "hunter2-a"
        var note = "token=hunter2-b"
    }

    struct Deep: Codable, Sendable {
        var next: [Deep] = []
    }

    final class Plain: Codable, Sendable {}

    final class Speaking: TrailEncodable {
        func encodeForTrail(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(["state": "open"])
        }
    }

    /// What the view says of one key that was set to a value.
    private func version(
        of value: (any Sendable)?,
        level: FlightRecorder.Level = .full,
        key: String = "it"
    ) throws -> (json: String, fidelity: String) {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = level
        withAppContext(App("shop", recorder: trail.recorder)) { $0.g[key] = value }
        trail.close()
        let row = try #require(try directory.rows("SELECT value, fidelity FROM g_versions").first)
        return (row[0], row[1])
    }

    /// The files that a text is in.
    private func files(_ directory: TemporaryTrail, with text: String) throws -> [String] {
        try directory.contents().filter { $0.value.range(of: Data(text.utf8)) != nil }.map(\.key)
    }

    @Test("an encodable value is kept as JSON, with its type, and is exact")
    func encodable() throws {
        let (json, fidelity) = try self.version(of: Cart())
        #expect(json.hasSuffix(#"Cart","value":{"id":7,"items":["tea","milk"]}}"#))
        #expect(fidelity == "exact")
    }

    @Test("the same value is described at the level lifecycle")
    func lifecycle() throws {
        let (json, fidelity) = try self.version(of: Cart(), level: .lifecycle)
        #expect(json.hasSuffix(#"Cart"}"#))
        #expect(fidelity == "described")
    }

    @Test("long text is kept as it is, and beyond 16 KiB cut and described")
    func text() throws {
        let long = String(repeating: "ä", count: 4000)
        let whole = try self.version(of: long)
        #expect(whole.json == "\"\(long)\"")
        #expect(whole.fidelity == "exact")
        let cut = try self.version(of: String(repeating: "x", count: 20_000))
        #expect(cut.json.hasSuffix(#"xxx","cut":true}"#))
        #expect(cut.json.utf8.count < 17_000)
        #expect(cut.fidelity == "described")
    }

    @Test("an optional is what it wraps")
    func optional() throws {
        let value: Cart? = Cart()
        #expect(try self.version(of: value).fidelity == "exact")
        #expect(try self.version(of: Plain?.some(Plain())).json.contains(#""identity":"0x"#))
    }

    @Test("secrets inside a value are not kept, by name and by shape, and it is no longer exact")
    func secrets() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["login"] = Login()
            context.g["api_key"] = Cart()
            context.g.snapshot("now")
        }
        trail.close()
        #expect(try self.files(directory, with: "hunter2") == [])
        let rows = try directory.rows("SELECT value, fidelity FROM g_versions ORDER BY id")
        let login: String = rows[0][0]
        #expect(login.contains(#""user":"ann","password":{"redacted":true},"note":"token=[redacted]""#))
        #expect(login.hasSuffix(#""redacted":true}"#))
        #expect(rows.map { $0[1] as String } == ["described", "not recorded"])
        let keys = try directory.texts("SELECT g_json ->> '$.api_key' FROM g_snapshots")
        #expect(Set(keys) == [#"{"redacted":true}"#])
    }

    @Test("an object is described by type and identity")
    func object() throws {
        let plain = Plain()
        let (json, fidelity) = try self.version(of: plain)
        let identity = "0x" + String(UInt(bitPattern: ObjectIdentifier(plain)), radix: 16)
        #expect(json.hasSuffix(#"Plain","identity":"\#(identity)"}"#))
        #expect(fidelity == "described")
    }

    @Test("an object that says itself what is kept is encoded at once, and its time is told")
    func trailEncodable() throws {
        let (json, fidelity) = try self.version(of: Speaking())
        #expect(json.contains(#""value":{"state":"open"},"encode_ns":"#))
        #expect(fidelity == "exact")
    }

    @Test("depth and breadth are cut, and the JSON is whole")
    func limits() throws {
        var deep = Deep()
        for _ in 0..<40 { deep = Deep(next: [deep]) }
        let nested = try self.version(of: deep)
        #expect(nested.json.contains(#"{"cut":true}"#))
        #expect(nested.json.hasSuffix(#""cut":true}"#))
        #expect(nested.fidelity == "described")
        let broad = try self.version(of: Array(0..<10_000))
        #expect(broad.json.contains("254,255]"))
        #expect(broad.fidelity == "described")
    }

    @Test("a snapshot shows the values, stays below 96 KiB, and says that it was cut")
    func snapshot() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 16_384)
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["cart"] = Cart()
            for number in 0..<12 { context.g["text\(number)"] = String(repeating: "x", count: 12_000) }
        }
        trail.close()
        let row = try #require(
            try directory.rows(
                "SELECT g_json ->> '$.cart.value.id', length(g_json), truncated, json_valid(g_json) FROM g_snapshots"
            ).first
        )
        #expect(row[0] as Int == 7)
        let length: Int = row[1]
        #expect(length > 48 * 1024 && length <= 96 * 1024)
        #expect(row[2] as Int == 1)
        #expect(row[3] as Int == 1)
        #expect(try directory.integer("SELECT max(length(extra)) FROM event") ?? .max <= 96 * 1024)
    }

    @Test("the trail of such values verifies, and one of them can be erased")
    func integrity() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { $0.g["name"] = String(repeating: "Ann ", count: 20) }
        withAppContext(App("shop", recorder: trail.recorder)) { $0.g["cart"] = Cart() }
        trail.close()
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        let erasure = Erasure(path: directory.path)
        #expect(try erasure.run(key: "name", equals: String(repeating: "Ann ", count: 20)).erased == 2)
        #expect(try erasure.run(key: "cart", equals: #"{"id":7,"items":["tea","milk"]}"#).erased == 2)
        #expect(try self.files(directory, with: "Ann Ann") == [])
        #expect(try self.files(directory, with: "milk") == [])
        let report = try TrailVerifier(path: directory.path).run()
        #expect(report.finding == nil)
        #expect(report.erased == 4)
    }

    @Test("drawn values, requests and responses verify, and a drawn value can be erased")
    func replayIntegrity() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: .init(level: .replay))
        try app.route("/") { context in
            _ = context.value("customer") { "Ann of Green Gables" }
            return "tea"
        }
        _ = try app.testClient().get("/")
        trail.close()
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        #expect(try Erasure(path: directory.path).run(key: "customer", equals: "Ann of Green Gables").erased == 1)
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        #expect(try self.files(directory, with: "Green Gables") == [])
    }
}
