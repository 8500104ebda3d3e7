// The exact count of what was refused.

private import Synchronization

/// Counts dropped events, and knows between which numbers they lie and of which kinds they are: all three exactly, report by
/// report. Recording a drop never waits.
///
/// There are two sides. Who notes a drop enters the side that is open, which the same atomic step decides and counts. A report
/// opens the other side, and is made when everybody who entered has left: then it holds what was noted on that side, and
/// nothing else. While somebody is still inside there is no report; the next call asks again.
package final class DropLedger: Sendable {
    /// Above every number. Not `UInt64.max`: the compiler lowers the atomic minimum of unsigned numbers to a signed one.
    private static let none = UInt64(Int64.max)
    /// Which side is open; how many have entered it stands below.
    private static let sideBit: UInt64 = 1 << 63

    /// What was noted between two reports.
    private final class Side: Sendable {
        let first = Atomic<UInt64>(DropLedger.none)
        let last = Atomic<UInt64>(0)
        /// A bit for each code.
        let kinds = Atomic<UInt64>(0)
        let left = Atomic<UInt64>(0)

        func clear() {
            self.first.store(DropLedger.none, ordering: .relaxed)
            self.last.store(0, ordering: .relaxed)
            self.kinds.store(0, ordering: .relaxed)
            self.left.store(0, ordering: .relaxed)
        }
    }

    private let total = Atomic<UInt64>(0)
    private let entered = Atomic<UInt64>(0)
    private let sides = [Side(), Side()]
    /// What the last report waits for: the word that closed its side; 0 when there is none. Only the one thread that takes
    /// reports uses it.
    private let closed = Atomic<UInt64>(0)

    package init() {}

    /// All drops of the run.
    package var count: UInt64 { self.total.load(ordering: .acquiring) }

    /// Whether something was noted that no report has.
    package var isPending: Bool {
        self.closed.load(ordering: .relaxed) != 0 || self.entered.load(ordering: .relaxed) & ~Self.sideBit != 0
    }

    /// Notes that the event with this number was refused. Any thread.
    package func add(seq: UInt64, kind: EventKind) {
        let side = self.side(self.entered.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue)
        side.kinds.bitwiseOr(kind.bit, ordering: .relaxed)
        side.first.min(seq, ordering: .relaxed)
        side.last.max(seq, ordering: .relaxed)
        // Releases the number that was taken before: whoever reads the count reads at least as many produced events.
        self.total.wrappingAdd(1, ordering: .releasing)
        side.left.wrappingAdd(1, ordering: .releasing)
    }

    /// Takes what has been noted since the last report; nil when nothing was, or while somebody is about to note something. One
    /// thread only.
    package func take(cause: TrailEvent.Drop.Cause = .ringFull) -> TrailEvent.Drop? {
        var word = self.closed.load(ordering: .relaxed)
        if word == 0 {
            let open = self.entered.load(ordering: .relaxed)
            guard open & ~Self.sideBit != 0 else { return nil }
            word = self.entered.exchange(~open & Self.sideBit, ordering: .acquiringAndReleasing)
            self.closed.store(word, ordering: .relaxed)
        }
        let side = self.side(word)
        let count = word & ~Self.sideBit
        guard side.left.load(ordering: .acquiring) == count else { return nil }
        defer {
            side.clear()
            self.closed.store(0, ordering: .relaxed)
        }
        return TrailEvent.Drop(
            count: count,
            firstSeq: side.first.load(ordering: .relaxed),
            lastSeq: side.last.load(ordering: .relaxed),
            kinds: side.kinds.load(ordering: .relaxed),
            cause: cause
        )
    }

    private func side(_ word: UInt64) -> Side { self.sides[word & Self.sideBit == 0 ? 0 : 1] }
}
