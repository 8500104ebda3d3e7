// Names with secret values inside free text, and where text is cut.

import ContrailRecorder
import TestSupport
import Testing

@Suite("Redaction of text")
struct RedactionTextTests {
    private let policy = RedactionPolicy()

    @Test(
        "The value of a secret name is replaced and the rest is kept.",
        arguments: [
            ("password=x&y", "password=[redacted]&y"),
            ("a=1&token=abc&b=2", "a=1&token=[redacted]&b=2"),
            ("/cb?access_token=abc#x", "/cb?access_token=[redacted]"),
            ("user[password]=x", "user[password]=[redacted]"),
            ("password = x y", "password = [redacted] y"),
            ("password=\tx", "password=\t[redacted]"),
            ("Authorization: Bearer abc", "Authorization: [redacted]"),
            ("Authorization: Digest a=\"b\", response=\"c\"\nHost: h", "Authorization: [redacted]\nHost: h"),
            ("Cookie: a=b; c=d\r\nHost: h", "Cookie: [redacted]\r\nHost: h"),
            ("{\"token\": \"abc\", \"n\": 1}", "{\"token\": [redacted], \"n\": 1}"),
            ("{\"token\" : \"abc\"}", "{\"token\" : [redacted]}"),
            ("{\"token\":\"a\\\"b\",\"n\":1}", "{\"token\":[redacted],\"n\":1}"),
            ("{'token': 'abc', 'n': 1}", "{'token': [redacted], 'n': 1}"),
            ("{\\\"token\\\": \\\"a, b\\\"}", "{\\\"token\\\": [redacted]"),
            ("Login(user: \"u\", password: \"p, q\")", "Login(user: \"u\", password: [redacted])"),
            ("Login(password: Optional(\"p, q)\"), n: 1)", "Login(password: [redacted]), n: 1)"),
            ("pwd=1;shipping=2;db.pwd=3", "pwd=[redacted];shipping=2;db.pwd=[redacted]"),
            ("password=\"never closed, token=x", "password=[redacted]"),
            ("password=", "password="),
            ("password:", "password:"),
            ("token=\"", "token=[redacted]"),
            ("token=\"\\", "token=[redacted]"),
            ("authorization=Bearer abc.def&x=1", "authorization=[redacted]&x=1"),
            ("token := abc", "token := [redacted]"),
            ("token => \"a b\", n => 1", "token => [redacted], n => 1"),
            ("{\"token\":[\"a\",\"b\"],\"n\":1}", "{\"token\":[redacted],\"n\":1}"),
            ("{\"token\":{\"a\":\"b}\"},\"n\":1}", "{\"token\":[redacted],\"n\":1}"),
            ("token: [1, 2", "token: [redacted]"),
            ("<password>a&amp;b</password><n>1</n>", "<password>[redacted]</password><n>1</n>"),
            ("<n>1</n>", "<n>1</n>"),
            ("name=\"pin\"\r\n\r\n12\r\n34\r\n--b", "name=\"pin\"\r\n\r\n[redacted]\r\n--b"),
            ("name=\"n\"\r\n\r\n12\r\n--b", "name=\"n\"\r\n\r\n12\r\n--b"),
            ("password=[redacted]", "password=[redacted]"),
            ("nothing here: n = 1", "nothing here: n = 1"),
            ("", ""),
            ("=", "="),
        ]
    )
    func pieces(text: String, expected: String) {
        #expect(self.policy.redacted(text) == expected)
    }

    @Test("Text is cut to the limit on a character boundary.")
    func cut() {
        let text = String(repeating: "é", count: 200)
        #expect(self.policy.redacted(text, limit: 255) == String(repeating: "é", count: 127))
        #expect(self.policy.redacted(text, limit: 256) == String(repeating: "é", count: 128))
        #expect(self.policy.redacted("日本", limit: 2) == "")
        #expect(self.policy.redacted("日本", limit: 3) == "日")
        #expect(self.policy.redacted("ab", limit: 0) == "")
        #expect(self.policy.redacted("ab", limit: 2) == "ab")
    }

    @Test("A value that is longer than what is read leaves no half character behind.")
    func cutInsideTheInput() {
        for padding in 0..<4 {
            let value = String(repeating: "a", count: 900 + padding)
            let text = "token=\(value) " + String(repeating: "😀", count: 100)
            let redacted = self.policy.redacted(text)
            #expect(!redacted.unicodeScalars.contains("\u{FFFD}"))
            #expect(redacted.hasPrefix("token=[redacted] 😀"))
            #expect(redacted.utf8.count <= 256)
        }
    }

    @Test("A secret beyond the cut is not kept either.")
    func secretAtTheCut() {
        for padding in 240..<256 {
            let text = String(repeating: "x", count: padding) + " password=hunter2"
            #expect(!self.policy.redacted(text).contains("hunter"))
        }
    }

    @Test("Random text with a secret in it never keeps the secret, and stays within the limit.")
    func random() {
        let seed = UInt64.random(in: .min ... .max)
        print("redaction, seed \(seed)")
        var random = SeededRandom(seed: seed)
        let pieces = [" ", "=", ":", "\"", "'", "\\", "&", ";", ",", "{", "}", "é", "😀", "pin", "token", "a", "\n"]
        for _ in 0..<2000 {
            let noise = (0..<2).map { _ in
                (0..<Int.random(in: 0..<20, using: &random)).map { _ in pieces[Int.random(in: 0..<17, using: &random)] }
            }
            let text = noise[0].joined() + " password=hunter2 " + noise[1].joined()
            let redacted = self.policy.redacted(text, limit: 64)
            #expect(!redacted.contains("hunter2"), "seed \(seed): \(text)")
            #expect(redacted.utf8.count <= 64, "seed \(seed): \(text)")
        }
    }

    @Test("The time for adversarial text grows with its length and not faster.", .timeLimit(.minutes(1)))
    func adversarial() {
        for unit in ["token", "token=", "\"token\": \"", "a:", "= ", "password ", "\\\"", "tokentoken "] {
            let text = String(repeating: unit, count: 100_000 / unit.utf8.count)
            let redacted = self.policy.redacted(text, limit: 25_000)
            #expect(redacted.utf8.count <= 25_000)
        }
    }
}
