// What redaction says of a name, kept: deciding it takes longer than everything else about a record.

private import Synchronization

/// A name as the trail keeps it, and whether values under it are secret.
package struct RecordedName: Sendable {
    /// The name, free of secrets, of at most 128 bytes.
    package let text: String
    /// Whether values under the name must not be stored.
    package let isSecret: Bool
    /// Its number in the ring's dictionary; the name follows in the record when it has none.
    let entry: RingEntry

    /// No name is stored beyond this many bytes.
    package static let limit = 128

    fileprivate init(_ name: String, _ redaction: RedactionPolicy, _ entry: (String) -> RingEntry) {
        self.text = redaction.redacted(name, limit: Self.limit)
        self.isSecret = redaction.isSecret(name)
        self.entry = entry(self.text)
    }
}

/// The names that one recorder has met. A program has few; of one that makes them up the first are kept.
final class RecordedNames: Sendable {
    private static let most = 1024

    private let redaction: RedactionPolicy
    private let dictionary: RingDictionary
    private let known = Mutex<[String: RecordedName]>([:])

    init(_ redaction: RedactionPolicy, _ dictionary: RingDictionary) {
        self.redaction = redaction
        self.dictionary = dictionary
    }

    /// What is to be recorded of a name. Calls no code but our own.
    subscript(name: String) -> RecordedName {
        if let known = self.known.withLock({ $0[name] }) { return known }
        // A name that is long, or one of very many, is not worth the room.
        let isWorthKeeping = name.utf8.count <= RecordedName.limit && self.known.withLock { $0.count < Self.most }
        let recorded = RecordedName(name, self.redaction) { isWorthKeeping ? self.dictionary.entry(of: $0) : .inline }
        if isWorthKeeping { self.known.withLock { $0[name] = recorded } }
        return recorded
    }
}
