// Erasing a value from requests, responses and documents that were recorded.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Testing

@Suite("Erasing a value from what was recorded for a replay")
struct ErasedExchangeTests {
    private static let key = "email"
    private static let value = "ann shirley@example.org"
    /// Parts of the value that no way of writing it changes.
    private static let remains = "shirley"

    /// Records a request for each body, and the answers, which are the bodies; erases the value.
    private func erase(
        _ bodies: [[UInt8]],
        target: String = "/orders",
        headers: HTTPFields = [:],
        in directory: TemporaryTrail
    ) throws -> Erasure.Report {
        let trail = try directory.open(capacity: 65_536)
        var recording = App.Recording(level: .replay)
        recording.requestHeaders.insert(Self.key)
        recording.responseHeaders.insert(Self.key)
        let app = App("shop", recorder: trail.recorder, recording: recording)
        for (index, body) in bodies.enumerated() {
            try app.route("/orders/\(index)", methods: [.post]) { _ in
                var response = App.Response(body: body)
                response.headerFields = headers
                return response
            }
        }
        for (index, body) in bodies.enumerated() {
            let path = target.replacing("/orders", with: "/orders/\(index)")
            let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: path, headerFields: headers)
            _ = try app.dispatch(request, body: body)
        }
        trail.close()
        #expect(try self.files(directory).contains("contrail.sqlite"))
        let report = try Erasure(path: directory.path).run(key: Self.key, equals: Self.value)
        #expect(report.isLogEmpty)
        let verified = try TrailVerifier(path: directory.path).run()
        #expect(verified.finding == nil)
        #expect(verified.erased == report.erased)
        return report
    }

    /// The files that the value is in, in one form or another.
    private func files(_ directory: TemporaryTrail) throws -> [String] {
        // Three bytes become four characters, so there are three ways to write it.
        let encoded = (0..<3).map { skipped in
            (Data(repeating: 0, count: skipped) + Data(Self.remains.utf8)).base64EncodedData().dropFirst(4).prefix(4)
        }
        let forms = encoded + [Data(Self.remains.utf8)]
        return try directory.contents().filter { file in forms.contains { file.value.range(of: $0) != nil } }.map(\.key)
    }

    private static let multipart = """
        --x\r\nContent-Disposition: form-data; name="email"\r\n\r\nann shirley@example.org\r\n--x--\r\n
        """

    @Test(
        "a body that holds it goes, in the request and in the answer, and leaves no hash; others stay",
        arguments: [
            #"{"who":{"email":"ann shirley@example.org"},"n":1}"#,
            #"{"email":"ann\u0020shirley\u0040example.org"}"#,
            #"{"email":["gil@example.org",{"work":"ann shirley@example.org"}]}"#,
            "n=1&email=ann+shirley%40example.org",
            "email=ann%20shirley@example.org",
            multipart,
            // A later member of the same name; documents in strings; the key and the value side by side.
            #"{"email":"ann shirley@example.org","email":"x"}"#,
            #"{"Message":"{\"to\":{\"email\":\"ann shirley@example.org\"}}"}"#,
            #"{"query":"mutation { signup(email: \"ann shirley@example.org\") }"}"#,
            #"[{"name":"email","value":"ann shirley@example.org"}]"#,
            // Broken, cut, or several: nobody can read it as one document.
            #"{"email":"ann shirley@example.org","#,
            #"{"n":1}"# + "\n" + #"{"email":"ann\u0020shirley\u0040example.org"}"#,
            #"{"n":"\ud800","email":"ann\u0020shirley\u0040example.org"} x"#,
            // Forms as programs send them.
            "email=ann%20shirley%40example.org\n",
            "n=1\r\nemail=ann%20shirley%40example.org",
            "user[email]=ann+shirley%40example.org",
            "user%5Bemail%5D%5B%5D=ann+shirley%40example.org",
            // Other text.
            "<email>ann shirley@example.org</email>",
            "<email>ann shirley&#64;example.org</email>",
            "<a href=\"/x?email=ann%20shirley%40example.org\">",
        ]
    )
    func bodies(body: String) throws {
        let directory = try TemporaryTrail()
        let other = body.replacing("shirley", with: "blythe")
        let report = try self.erase([Array(other.utf8), Array(body.utf8)], in: directory)
        #expect(report.erased == 2)
        #expect(try self.files(directory) == [])
        let details = try directory.texts(
            "SELECT detail FROM events WHERE kind IN ('request_input', 'response_output') ORDER BY seq"
        )
        .compactMap(\.self)
        try #require(details.count == 4)
        for detail in details.prefix(2) {
            #expect(detail.contains("blythe") && detail.contains("fnv1a64") && !detail.contains("erased"))
        }
        for detail in details.suffix(2) {
            #expect(detail.contains(#""erased":["body"]"#) && !detail.contains("fnv1a64"))
        }
    }

    @Test("a body of any bytes, and one that takes several events, go as a whole", arguments: [10, 60_000, 90_000])
    func longBodies(count: Int) throws {
        let directory = try TemporaryTrail()
        let padding = (0..<count).map { UInt8($0 & 255) }
        let text = Array("email: \(Self.value)".utf8)
        let report = try self.erase([padding, text + padding], in: directory)
        let parts = try directory.integer(
            "SELECT count(*) FROM events WHERE kind IN ('request_input', 'response_output') AND detail ->> '$.erased[0]' = 'body'"
        )
        #expect(report.erased == parts)
        #expect(parts ?? 0 >= (count > 1000 ? 4 : 2))
        #expect(try self.files(directory) == [])
        let left = try directory.integer(
            "SELECT count(*) FROM events WHERE kind = 'request_input' AND detail ->> '$.body' IS NOT NULL"
        )
        #expect(left ?? 0 >= 1)
    }

    @Test("what is left of a body goes when the part with the key, and with the encoding, is gone")
    func cutExchange() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 65_536)
        let app = App("shop", recorder: trail.recorder, recording: App.Recording(level: .replay))
        try app.route("/orders", methods: [.post]) { _ in "" }
        let body = (0..<62_000).map { UInt8($0 & 255) } + Array(Self.value.utf8)
        let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/orders")
        _ = try app.dispatch(request, body: body)
        trail.close()
        try directory.change("DELETE FROM event WHERE id = (SELECT min(id) FROM event WHERE kind = 22)")
        #expect(try Erasure(path: directory.path).run(key: Self.key, equals: Self.value).erased == 1)
        #expect(try self.files(directory) == [])
    }

    @Test("fields in other character sets and spellings are found, each under its own key", arguments: [0, 1, 2])
    func spellings(kind: Int) throws {
        let bodies: [[UInt8]] = [
            Array("name=Jos%E9".utf8), Array("<name>".utf8) + Array("José".unicodeScalars.map { UInt8($0.value) }),
            [0xFF, 0xFE] + "name: José".utf16.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] },
        ]
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: App.Recording(level: .replay))
        try app.route("/orders", methods: [.post]) { _ in "" }
        let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/orders")
        _ = try app.dispatch(request, body: bodies[kind])
        trail.close()
        #expect(try Erasure(path: directory.path).run(key: "name", equals: "Jose").erased == 0)
        #expect(try Erasure(path: directory.path).run(key: "name", equals: "José").erased == 1)
    }

    @Test("a number goes when it is the same, and not when it only looks like it")
    func numbers() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: App.Recording(level: .replay))
        try app.route("/orders", methods: [.post]) { _ in "" }
        let body = #"{"id":1234567890123456789,"zip":1234,"code":16,"admin":true,"is":1,"price":1.10,"all":[1.0,2]}"#
        let request = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/orders")
        _ = try app.dispatch(request, body: Array(body.utf8))
        trail.close()
        let erasure = Erasure(path: directory.path)
        let others = [
            ("id", "1234567890123456788"), ("zip", "01234"), ("code", "0x10"), ("admin", "1"), ("is", "true"),
            ("price", "1.11"), ("all", "3"),
        ]
        for (key, text) in others { #expect(try erasure.run(key: key, equals: text).erased == 0, "\(key) \(text)") }
        #expect(try erasure.run(key: "price", equals: "1.1").erased == 1)
    }

    @Test("any number of headers of one name go, also one that is a list")
    func headers() throws {
        let directory = try TemporaryTrail()
        let name = try #require(HTTPField.Name("Email"))
        var headers = HTTPFields()
        for number in 0..<200 {
            headers.append(HTTPField(name: name, value: number % 2 == 0 ? Self.value : "\(number)"))
        }
        headers.append(HTTPField(name: name, value: "gil@example.org, \(Self.value)"))
        #expect(try self.erase([[]], headers: headers, in: directory).erased == 2)
        #expect(try self.files(directory) == [])
        let left = "SELECT json_array_length(detail, '$.headers') FROM events WHERE kind = 'request_input'"
        #expect(try directory.integer(left) == 100)
        let erased = "SELECT detail ->> '$.erased' FROM events WHERE kind = 'request_input'"
        #expect(try directory.texts(erased) == [#"["header:email"]"#])
    }

    @Test("a query and a header go, and nothing else of the request")
    func head() throws {
        let directory = try TemporaryTrail()
        let name = try #require(HTTPField.Name("Email"))
        let report = try self.erase(
            [Array("tea".utf8)],
            target: "/orders?n=100%&user%5Bemail%5D=ann%20shirley%40example.org#top",
            headers: [.contentType: "text/plain", name: Self.value],
            in: directory
        )
        #expect(report.erased == 2)
        #expect(try self.files(directory) == [])
        let inputs = try directory.rows(
            """
            SELECT detail ->> '$.target', detail ->> '$.headers', detail ->> '$.erased', detail ->> '$.body' FROM events
            WHERE kind = 'request_input'
            """
        )
        let input = try #require(inputs.first)
        #expect(input[0] == "/orders/0")
        #expect(input[1] == #"[["content-type","text/plain"]]"#)
        #expect(input[2] == #"["target","header:email"]"#)
        #expect(input[3] == "tea")
        // Once more, with nothing left to erase.
        #expect(try Erasure(path: directory.path).run(key: Self.key, equals: Self.value).erased == 0)
    }

    @Test("the value under another key, and another value under the key, stay")
    func others() throws {
        let directory = try TemporaryTrail()
        let bodies = [
            #"{"sender":"ann shirley@example.org","email":"gil@example.org"}"#, "sender=ann+shirley%40example.org",
        ]
        #expect(try self.erase(bodies.map { Array($0.utf8) }, in: directory).erased == 0)
        #expect(try self.files(directory) == ["contrail.sqlite"])
    }

    struct Customer: Codable, Sendable {
        var email: String
        var city = "Avonlea"
    }

    @Test("what stays in a snapshot stays to the byte, and what describes a value is no value")
    func otherMembers() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["email"] = Self.value
            context.g["price"] = 0.1 + 0.2
            context.g["far"] = 1e300
            context.g["most"] = UInt64.max
            context.g["zero"] = "a\u{0}b"
            context.g["q\"u.o'té"] = "x"
        }
        trail.close()
        let before = try #require(try directory.texts("SELECT g_json FROM g_snapshots").first ?? nil)
        let erasure = Erasure(path: directory.path)
        #expect(try erasure.run(key: "type", equals: "UInt64").erased == 0)
        #expect(try erasure.run(key: "value", equals: "\(UInt64.max)").erased == 0)
        #expect(try erasure.run(key: Self.key, equals: Self.value).erased == 2)
        let after = before.replacing("\"\(Self.value)\"", with: #"{"erased":true}"#)
        #expect(before != after)
        #expect(try directory.texts("SELECT g_json FROM g_snapshots") == [after])
        #expect(try erasure.run(key: "q\"u.o'té", equals: "x").erased == 2)
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
    }

    @Test("a value of g that holds it somewhere goes as a whole, and so in snapshots; other keys stay")
    func documents() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["customer"] = Customer(email: Self.value)
            context.g["friends"] = [Customer(email: "gil@example.org"), Customer(email: Self.value)]
            context.g["other"] = Customer(email: "diana@example.org", city: "Orchard Slope")
        }
        trail.close()
        // Two that were set, and the snapshot at the end.
        #expect(try Erasure(path: directory.path).run(key: Self.key, equals: Self.value).erased == 3)
        #expect(try self.files(directory) == [])
        let verified = try TrailVerifier(path: directory.path).run()
        #expect(verified.finding == nil)
        #expect(verified.erased == 3)
        let snapshot = try #require(try directory.texts("SELECT g_json FROM g_snapshots").first ?? nil)
        #expect(snapshot.contains("diana@example.org") && !snapshot.contains("gil@example.org"))
        let versions = try directory.rows("SELECT key, fidelity FROM g_versions ORDER BY from_seq")
        #expect(versions.map { $0[1] as String } == ["not recorded", "not recorded", "exact"])
    }
}
