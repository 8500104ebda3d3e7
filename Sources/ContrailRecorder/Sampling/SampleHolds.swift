// The contexts that were sampled out and have not ended.

private import Synchronization

/// Finds what is held for a context by its number. Numbers of sampled-out contexts have their highest bit set, so that recording
/// asks nothing of any other. May be used from any thread.
final class SampleHolds: Sendable {
    /// From this number on contexts are sampled out.
    static let firstOrdinal: TrailEvent.ContextOrdinal = 1 << 31
    /// How many contexts are held at the most; further ones are recorded as if nothing was sampled.
    private static let mostContexts = 4096

    let counts = SampleCounts()
    private let holds = Mutex<[TrailEvent.ContextOrdinal: SampleHold]>([:])

    /// Holds a context, alone or with the one it is pushed under. False when there are too many.
    func begin(
        _ ordinal: TrailEvent.ContextOrdinal,
        under parent: TrailEvent.ContextOrdinal?,
        _ terms: SampleTerms
    ) -> Bool {
        self.holds.withLock { holds in
            guard holds.count < Self.mostContexts else { return false }
            if let parent, let hold = holds[parent] {
                hold.add(ordinal)
                holds[ordinal] = hold
            } else {
                holds[ordinal] = SampleHold(root: ordinal, terms: terms)
            }
            return true
        }
    }

    /// Whether a context is held.
    func contains(_ ordinal: TrailEvent.ContextOrdinal) -> Bool {
        self.holds.withLock { $0[ordinal] != nil }
    }

    /// Decides on a record of a context; nil when the context is not held, or not any more.
    func decide(_ record: SampleHold.Record, write: (SampleHold.Record) -> Void) -> SampleHold.Fate? {
        let context = record.head.context
        guard let hold = self.holds.withLock({ $0[context] }) else { return nil }
        let fate = hold.decide(record, self.counts, write: write)
        if hold.isEnd(record) {
            let members = hold.members
            self.holds.withLock { holds in
                for member in members where holds[member] === hold { holds[member] = nil }
            }
        }
        return fate
    }
}
