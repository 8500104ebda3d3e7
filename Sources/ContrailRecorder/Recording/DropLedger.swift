// The exact count of what was refused.

private import Synchronization

/// Counts dropped events, exactly, and between which numbers they lie. Recording a drop never waits.
package final class DropLedger: Sendable {
    /// Above every number. Not `UInt64.max`: the compiler lowers the atomic minimum of unsigned numbers to a signed one.
    private static let none = UInt64(Int64.max)

    private let total = Atomic<UInt64>(0)
    private let pendingCount = Atomic<UInt64>(0)
    private let pendingFirst = Atomic<UInt64>(DropLedger.none)
    private let pendingLast = Atomic<UInt64>(0)
    /// The kinds of what was dropped, a bit for each code.
    private let pendingKinds = Atomic<UInt64>(0)
    /// The bounds of the last report; only the one thread that takes reports writes them.
    private let reportedFirst = Atomic<UInt64>(DropLedger.none)
    private let reportedLast = Atomic<UInt64>(0)

    package init() {}

    /// All drops of the run.
    package var count: UInt64 { self.total.load(ordering: .acquiring) }

    /// Notes that the event with this number was refused. Any thread.
    package func add(seq: UInt64, kind: EventKind) {
        self.pendingKinds.bitwiseOr(kind.bit, ordering: .relaxed)
        self.pendingFirst.min(seq, ordering: .relaxed)
        self.pendingLast.max(seq, ordering: .relaxed)
        // Releases the number that was taken before: whoever reads the count reads at least as many produced events.
        self.total.add(1, ordering: .releasing)
        self.pendingCount.add(1, ordering: .acquiringAndReleasing)
    }

    /// Takes what has been noted since the last call. The count is exact; a drop noted during the call may widen the range
    /// of this report while being counted in the next, which then repeats the bound. One thread only.
    package func take() -> TrailEvent.Drop? {
        let count = self.pendingCount.exchange(0, ordering: .acquiringAndReleasing)
        guard count > 0 else { return nil }
        let kinds = self.pendingKinds.exchange(0, ordering: .relaxed)
        var first = self.pendingFirst.exchange(Self.none, ordering: .relaxed)
        var last = self.pendingLast.exchange(0, ordering: .relaxed)
        if first == Self.none { first = self.reportedFirst.load(ordering: .relaxed) }
        if last == 0 { last = self.reportedLast.load(ordering: .relaxed) }
        self.reportedFirst.store(first, ordering: .relaxed)
        self.reportedLast.store(last, ordering: .relaxed)
        return TrailEvent.Drop(count: count, firstSeq: first, lastSeq: last, kinds: kinds)
    }
}
