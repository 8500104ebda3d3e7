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
