// What is secret by its name, as a key and inside free text.

import ContrailRecorder
import Testing

@Suite("Redaction by name")
struct RedactionNameTests {
    private let policy = RedactionPolicy()

    @Test(
        "A name is secret in any case, with any separators, and inside a longer name.",
        arguments: [
            "password", "PASSWORD", "user_password", "X-API-Key", "api.key", "api key", "stripeApiKey", "authToken",
            "Set-Cookie", "client_secret_2", "Authorization",
        ]
    )
    func secrets(name: String) {
        #expect(self.policy.isSecret(name))
    }

    @Test(
        "A short name is secret as a whole word only.",
        arguments: [
            ("pin", true), ("PIN", true), ("user_pin", true), ("userPin", true), ("card.cvv", true), ("db-pwd", true),
            ("shipping", false), ("spin", false), ("opinion", false), ("pins", false),
        ]
    )
    func shortNames(name: String, isSecret: Bool) {
        #expect(self.policy.isSecret(name) == isSecret)
    }

    @Test("Ordinary names are not.", arguments: ["", "order_id", "keyboard", "path", "user", "passenger", "_", "é"])
    func ordinary(name: String) {
        #expect(!self.policy.isSecret(name))
    }

    @Test("A policy's own names are normalised, and empty ones are ignored.")
    func ownNames() {
        let policy = RedactionPolicy(names: ["Mother's Maiden-Name", "", "--"])
        #expect(policy.names == ["mothersmaidenname"])
        #expect(policy.isSecret("mothers_maiden_name"))
        #expect(!policy.isSecret("password"))
        #expect(!RedactionPolicy(names: []).isSecret("password"))
    }

    @Test("A value under a secret name is not kept, a nil under one is.")
    func values() {
        #expect(self.policy.redacted(.integer(1), under: "pin") == .redacted)
        #expect(self.policy.redacted(.text("x"), under: "token") == .redacted)
        #expect(self.policy.redacted(.described(type: "T", size: 1), under: "secret") == .redacted)
        #expect(self.policy.redacted(.null, under: "token") == .null)
        #expect(self.policy.redacted(.integer(1), under: "order_id") == .integer(1))
    }

    @Test("Text that names a secret itself is not kept under any name.")
    func textWithSecrets() {
        #expect(self.policy.redacted(.text("/cb?token=abc"), under: "url") == .redacted)
        #expect(self.policy.redacted(.text("Authorization: Bearer x"), under: "note") == .redacted)
        #expect(self.policy.redacted(.text("a=b: c"), under: "note") == .text("a=b: c"))
    }
}

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

/// SplitMix64: the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
