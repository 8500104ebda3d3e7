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
            // Broken, so that nobody can read it as a document.
            #"{"email":"ann shirley@example.org","#,
            "<email>ann shirley@example.org</email>",
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

    @Test("a query and a header go, and nothing else of the request")
    func head() throws {
        let directory = try TemporaryTrail()
        let name = try #require(HTTPField.Name("Email"))
        let report = try self.erase(
            [Array("tea".utf8)],
            target: "/orders?n=1&email=ann%20shirley%40example.org",
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
