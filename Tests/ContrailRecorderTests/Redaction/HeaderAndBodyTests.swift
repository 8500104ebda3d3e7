// Header values and bodies as they may be stored.

import ContrailRecorder
import Testing

@Suite("Redaction of headers and bodies")
struct HeaderAndBodyTests {
    private let policy = RedactionPolicy()

    @Test("The value of a header with a secret name goes as a whole.")
    func secretHeaders() {
        for name in ["Authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "X-Api-Key", "X-CSRF-Token"] {
            #expect(self.policy.redacted(header: name, value: "abc; def") == "[redacted]")
        }
        #expect(self.policy.redacted(header: "Cookie", value: "") == "")
        #expect(self.policy.redacted(header: "Cookie", value: "abc", limit: 4) == "[red")
        #expect(self.policy.redacted(header: "Cookie", value: "abc", limit: -1) == "")
    }

    @Test("The value of any other header loses the secrets in it.")
    func otherHeaders() {
        #expect(self.policy.redacted(header: "Referer", value: "/cb?token=abc&n=1") == "/cb?token=[redacted]&n=1")
        #expect(self.policy.redacted(header: "X-Request-ID", value: "4111111111111111") == "[redacted]")
        #expect(self.policy.redacted(header: "Accept", value: "text/html") == "text/html")
        #expect(self.policy.redacted(header: "Accept", value: "text/html", limit: 4) == "text")
    }

    @Test("A body keeps its bytes, less its secrets.")
    func bodies() {
        func redacted(_ text: String) -> String {
            String(decoding: self.policy.redacted(body: Array(text.utf8)), as: UTF8.self)
        }
        #expect(redacted("user=ann&password=hunter2&n=1") == "user=ann&password=[redacted]&n=1")
        #expect(redacted("{\"a\":{\"pin\":1234},\"b\":\"x\"}") == "{\"a\":{\"pin\":[redacted]},\"b\":\"x\"}")
        #expect(self.policy.redacted(body: [0xFF, 0x00, 0xC3]) == [0xFF, 0x00, 0xC3])
        #expect(self.policy.redacted(body: []) == [])
    }

    @Test("The head of a credential that was cut goes, even when it looks like a word so far.")
    func cutWord() {
        let cut = self.policy.redacted(body: Array("note: Token Avilgnbbn".utf8), isCut: true)
        #expect(String(decoding: cut, as: UTF8.self) == "note: Token [redacted]")
        let whole = self.policy.redacted(body: Array("note: Token expired".utf8))
        #expect(String(decoding: whole, as: UTF8.self) == "note: Token expired")
    }

    @Test("Only what hides a secret is replaced behind escapes, the rest stays escaped.")
    func escapes() {
        #expect(self.policy.redacted("/cb%3Ftoken%3Dabc%26n%3D1") == "/cb%3Ftoken%3D[redacted]%26n%3D1")
        #expect(self.policy.redacted("a%2Fb token%3Dabc") == "a%2Fb token%3D[redacted]")
        #expect(self.policy.redacted("card%3A 4111%201111%201111%201111 ok") == "card%3A [redacted] ok")
        #expect(self.policy.redacted("\"\\u0070assword\":\"x\", n") == "\"\\u0070assword\":[redacted], n")
    }

    @Test("A body is cut after the search, on the boundary of a character.")
    func cut() {
        #expect(self.policy.redacted(body: Array("password=hunter2".utf8), limit: 12) == Array("password=[re".utf8))
        #expect(self.policy.redacted(body: Array("日本".utf8), limit: 4) == Array("日".utf8))
        #expect(self.policy.redacted(body: Array("abc".utf8), limit: -1) == [])
        let zeros = [UInt8](repeating: 0x80, count: 10)
        #expect(self.policy.redacted(body: zeros, limit: 5).count <= 5)
    }
}
