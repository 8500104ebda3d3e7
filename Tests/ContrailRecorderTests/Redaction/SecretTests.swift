// Values that show nothing of themselves.

import ContrailRecorder
import Testing

@Suite("Secret values")
struct SecretTests {
    private struct Login {
        let user = "ann"
        let password = Secret("hunter2")
    }

    @Test("A secret prints, interpolates, dumps and mirrors as a placeholder.")
    func printing() {
        let secret = Secret("hunter2")
        #expect("\(secret)" == "[redacted]")
        #expect(String(reflecting: secret) == "[redacted]")
        #expect(Mirror(reflecting: secret).children.isEmpty)
        var dumped = ""
        dump(Login(), to: &dumped)
        #expect(dumped.contains("ann") && !dumped.contains("hunter2"))
        #expect(!"\(Login())".contains("hunter2") && !String(reflecting: [secret]).contains("hunter2"))
        #expect(secret.value == "hunter2")
    }

    @Test("A secret is recorded as redacted under any name, also inside an optional, and a missing one as nil.")
    func recording() {
        let policy = RedactionPolicy(names: [], patterns: [])
        #expect(policy.redacted(RecordedValue(Secret("x")), under: "note") == .redacted)
        #expect(RecordedValue(Secret(7)) == .redacted)
        #expect(RecordedValue(Secret<Int>?.some(Secret(7)) as any Sendable) == .redacted)
        #expect(RecordedValue(Secret<Int>?.none as any Sendable) == .null)
    }

    @Test("Secrets compare and hash as what they hide.")
    func comparing() {
        #expect(Secret("a") == Secret("a") && Secret("a") != Secret("b"))
        #expect(Set([Secret(1), Secret(1), Secret(2)]).count == 2)
    }
}
