// Text that was made to take time.

import ContrailRecorder
import TestSupport
import Testing

@Suite("Redaction of hostile text")
struct HostileTextTests {
    private let policy = RedactionPolicy(patterns: RedactionPolicy.Pattern.all)
    /// Each of them looks like the beginning of something.
    private static let units = [
        "=", ":", "eyJ", "eyJhIjoi", "eyJ9eyJ9", "ey.", "4", "4111 ", "1 ", "-", "-----BEGIN ",
        "-----END PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----", "\\", "\\u0041", "%", "%25", "%41", "://",
        "://a:b",
        "a@", "@", ".", "_", "sk_live_", "AKIA", "I", "J", "Bearer ", "Basic a", "Digest a=", "token", "token=",
        "token: [",
        "\"token\": \"", "<password>", "name=\"password\"", "name=\"", "é", "\u{0}", "p.i.n-", " ", "+",
    ]

    @Test(
        "Eight times the text takes eight times the time and not sixty-four, whatever it repeats.",
        arguments: Self.units
    )
    func growth(unit: String) {
        let text = String(repeating: unit, count: 65_536 / unit.utf8.count)
        let short = self.time(of: String(text.prefix(text.count / 8)))
        let long = self.time(of: text)
        #expect(long < short * 32 + .milliseconds(50), "\(unit.debugDescription): \(short), \(long)")
    }

    @Test("A mebibyte of one thing takes a moment.", arguments: ["=", "eyJ", "4"])
    func mebibyte(unit: String) {
        let time = self.time(of: String(repeating: unit, count: (1 << 20) / unit.utf8.count))
        // Some 20 ms in a debug build; the sanitizer needs ten times as long.
        #expect(time < .milliseconds(500), "\(unit): \(time)")
    }

    private func time(of text: String) -> Duration {
        let (time, redacted) = ThreadTime.of { self.policy.redacted(text, limit: 1 << 20) }
        #expect(redacted.utf8.count <= 1 << 20)
        return time
    }

    @Test("Random bytes of every kind are searched without harm, whole and cut.")
    func randomBytes() {
        let seed = UInt64.random(in: .min ... .max)
        print("random bytes, seed \(seed)")
        var samples = SecretSamples(seed: seed)
        let marks = Array("=:>%\\J. +-_I@0123456789eyA\"'<>[]{}uBEGINPRIVATE KEY\n\r".utf8)
        for _ in 0..<3000 {
            let body = (0..<samples.number(0..<80)).map { _ in
                samples.number(0..<8) == 0 ? UInt8(samples.number(0..<256)) : samples.pick(marks)
            }
            let limit = samples.number(0..<100)
            for isCut in [false, true] {
                let redacted = self.policy.redacted(body: body, limit: limit, isCut: isCut)
                #expect(redacted.count <= limit, "seed \(seed): \(body)")
            }
        }
    }
}
