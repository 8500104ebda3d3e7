// How much of one value is encoded, and what became of it so far.

/// What may be written of one value. Confined to the thread that encodes.
final class PayloadBudget {
    /// No value takes more, in bytes of JSON.
    static let mostBytes = 16 * 1024
    /// No deeper level is written.
    static let mostLevels = 16
    /// No container gets more members.
    static let mostMembers = 256

    /// Thrown where a limit is met: what was written so far stays.
    struct Exceeded: Error {}

    let redaction: RedactionPolicy
    private(set) var isCut = false
    private(set) var isRedacted = false
    private var bytes = PayloadBudget.mostBytes

    init(_ redaction: RedactionPolicy) {
        self.redaction = redaction
    }

    func noteCut() { self.isCut = true }

    func noteRedaction() { self.isRedacted = true }

    /// Takes so many bytes.
    func spend(_ count: Int) throws {
        guard count <= self.bytes else {
            self.isCut = true
            throw Exceeded()
        }
        self.bytes -= count
    }

    /// The text as it may be stored, quoted.
    func quoted(_ text: String) throws -> String {
        let room = max(self.bytes - 2, 0)
        var kept = self.redaction.redacted(text, limit: room)
        if kept != text {
            if text.utf8.count > room { self.isCut = true }
            if text.utf8.count <= room || !text.hasPrefix(kept) { self.isRedacted = true }
        }
        var quoted = JSONString.quoted(kept)
        if quoted.utf8.count > self.bytes {
            // Quoting makes a byte six at the most.
            self.isCut = true
            kept = RedactionPolicy.cut(kept, to: max((self.bytes - 2) / 6, 0))
            quoted = JSONString.quoted(kept)
        }
        try self.spend(quoted.utf8.count)
        return quoted
    }

    /// The name of a member as it may be stored, quoted.
    func name(_ name: String) throws -> String {
        let kept = self.redaction.redacted(name, limit: RecordedName.limit)
        if kept != name { self.isRedacted = true }
        let quoted = JSONString.quoted(kept)
        try self.spend(quoted.utf8.count + 2)
        return quoted
    }
}
