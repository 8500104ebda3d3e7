// What has the shape of a secret, and what only looks a little like it.

import ContrailRecorder
import TestSupport
import Testing

@Suite("Secrets by their shape")
struct SecretPatternTests {
    private let policy = RedactionPolicy()

    @Test(
        "A secret is replaced under any name, and what is around it is kept.",
        arguments: [
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, sorry", "got [redacted], sorry"),
            // `{ "alg": "HS256" }`, `{\n"alg":"none"}` without a signature.
            ("eyAiYWxnIjogIkhTMjU2IiB9.e30.c2ln", "[redacted]"),
            ("x ewoiYWxnIjoibm9uZSJ9.e30. y", "x [redacted] y"),
            ("eyJhbGciOiJkaXIifQ..aXY.Y2lwaGVy.dGFn!", "[redacted]!"),
            ("sent Bearer abc123, got 401", "sent Bearer [redacted], got 401"),
            ("BEARER\tabc123", "BEARER\t[redacted]"),
            ("auth was Basic dXNlcjpwYXNz today", "auth was Basic [redacted] today"),
            ("Digest username=\"u\", response=\"r\"\nnext", "Digest [redacted]\nnext"),
            ("AWS4-HMAC-SHA256 Credential=a/b, Signature=c", "AWS4-HMAC-SHA256 [redacted]"),
            ("Negotiate YIIJvwYGKwYBBQUCoIIJszCC", "Negotiate [redacted]"),
            ("Token 9944b09199c62bcf9418ad846dd0e4bb", "Token [redacted]"),
            ("a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b", "a [redacted] b"),
            ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nand so on", "a [redacted]"),
            ("---- BEGIN SSH2 PRIVATE KEY ----\nMIIE\n---- END SSH2 PRIVATE KEY ----", "[redacted]"),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEF\nAoGBAL==\n-----END PRIVATE KEY-----.", "[redacted]."),
            ("card 4111 1111 1111 1111 declined", "card [redacted] declined"),
            ("card 4111-1111-1111-1111", "card [redacted]"),
            ("card=4111+1111+1111+1111&n=1", "card=[redacted]&n=1"),
            ("378282246310005", "[redacted]"),
            ("4222222222222", "[redacted]"),
            ("6304000000000000000", "[redacted]"),
            ("7 4111111111111111 12", "7 [redacted] 12"),
            ("/cards/4111111111111111/pay", "/cards/[redacted]/pay"),
            ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc used", "key [redacted] used"),
            ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "[redacted]"),
            ("AKIAIOSFODNN7EXAMPLE", "[redacted]"),
            ("AIzaSyA1234567890abcdefghijklmnopqrstuvw", "[redacted]"),
            ("xoxb-123456789012-abcdefABCDEF", "[redacted]"),
            ("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", "[redacted]"),
            ("postgres://app:p4ss@db:5432/orders failed", "postgres://app:[redacted]@db:5432/orders failed"),
            ("redis://:p@ss@cache", "redis://:[redacted]@cache"),
            ("postgres://app:p4ss", "postgres://app:[redacted]"),
        ]
    )
    func secrets(text: String, expected: String) {
        #expect(self.policy.redacted(text) == expected)
    }

    @Test(
        "What only looks a little like a secret is kept.",
        arguments: [
            "/orders/7/items", "/orders/550e8400-e29b-41d4-a716-446655440000", "2026-11-21 09:44:28.123456",
            "took 0.4111111111111111 s", "number 4111 1111 1111 1112", "4111 1111 1111", "eyJpZCI6MX0", "eyJ0eXAi",
            "eyJzdWIiOiIxIn0.e30.c2ln", "Bearer token missing", "a bearer of bad news",
            "WWW-Authenticate is Bearer realm=x", "Basic authentication failed", "basic usage", "Digest of the file",
            "unexpected token after the brace", "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
            "-----------------", "the end-user's private key", "sk_live_", "task-1234567890abcdefghijklmn",
            "ghp_short", "AKIA", "http://localhost:8080/a@b:c", "http://localhost:8080", "https://user@host/",
            "a: //b:c@d", "ann@example.org wrote", "100 % of \\n",
        ]
    )
    func innocent(text: String) {
        #expect(self.policy.redacted(text) == text)
    }

    @Test("A pattern that was not chosen leaves its secrets alone.")
    func notChosen() {
        let samples: [(RedactionPolicy.Pattern, String)] = [
            (.jsonWebToken, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), (.authorization, "Bearer abc123"),
            (.privateKey, "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----"),
            (.cardNumber, "4111111111111111"), (.apiKey, "xoxb-123456789012-abcdefABCDEF"),
            (.urlPassword, "redis://u:p@cache"), (.emailAddress, "ann@example.org"),
        ]
        for (pattern, text) in samples {
            let without = RedactionPolicy(patterns: RedactionPolicy.Pattern.all.subtracting([pattern]))
            #expect(without.redacted(text) == text, "\(pattern)")
            #expect(RedactionPolicy(names: [], patterns: [pattern]).redacted(text) != text, "\(pattern)")
        }
    }

    @Test("E-mail addresses are redacted when they are chosen.")
    func emailAddresses() {
        let policy = RedactionPolicy(patterns: [.emailAddress])
        #expect(policy.redacted("to Ann.Lee+x@mail.example.org, now") == "to [redacted], now")
        #expect(policy.redacted("/users/ann@example.org/mail") == "/users/[redacted]/mail")
        #expect(policy.redacted("user@localhost, @home, a@.b") == "user@localhost, @home, a@.b")
    }

    @Test("Every published prefix is known, at the least length of its keys.")
    func prefixes() {
        for prefix in APIKeyPrefix.all {
            let key = "\(prefix.text)" + String(repeating: "x", count: prefix.least)
            #expect(self.policy.redacted("key \(key) used") == "key [redacted] used", "\(prefix.text)")
            let short = "key \(key.dropLast()) used"
            #expect(self.policy.redacted(short) == short, "\(prefix.text)")
        }
    }

    @Test("Every scheme is known in any case.")
    func schemes() {
        for scheme in AuthorizationScheme.all {
            for name in ["\(scheme.name)", "\(scheme.name)".uppercased()] {
                let redacted = self.policy.redacted("\(name) dXNlcjpwYXNzd29yZDEyMzQ1Njc4")
                #expect(redacted == "\(name) [redacted]")
            }
        }
    }

    @Test("What was redacted once stays as it is the second time.")
    func twice() {
        let seed = UInt64.random(in: .min ... .max)
        print("redacted twice, seed \(seed)")
        var samples = SecretSamples(seed: seed)
        for sample in samples.all() {
            let once = self.policy.redacted("note \(sample.text) end", limit: 4096)
            #expect(self.policy.redacted(once, limit: 4096) == once, "seed \(seed), \(sample.pattern)")
        }
    }

    @Test("Short text and whole numbers of g that look like a secret are not kept.")
    func values() {
        #expect(self.policy.redacted(.text("4111 1111 1111 1111"), under: "note") == .redacted)
        #expect(self.policy.redacted(.text("AKIAIOSFODNN7EXAMPLE"), under: "note") == .redacted)
        #expect(self.policy.redacted(.text("token%3Dabc"), under: "note") == .redacted)
        #expect(self.policy.redacted(.integer(4_111_111_111_111_111), under: "note") == .redacted)
        #expect(self.policy.redacted(.double(4_111_111_111_111_111), under: "note") == .redacted)
        #expect(self.policy.redacted(.integer(4_111_111_111_111_112), under: "note") == .integer(4_111_111_111_111_112))
        // The checksum is right, and so are milliseconds since 1970.
        #expect(self.policy.redacted(.integer(1_763_718_268_006), under: "at") == .integer(1_763_718_268_006))
        #expect(self.policy.redacted(.integer(.min), under: "note") == .integer(.min))
        #expect(self.policy.redacted(.double(.infinity), under: "note") == .double(.infinity))
        let without = RedactionPolicy(patterns: [])
        #expect(without.redacted(.integer(4_111_111_111_111_111), under: "n") == .integer(4_111_111_111_111_111))
    }
}
