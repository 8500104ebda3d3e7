// The exact count of what was refused.

private import Synchronization

/// Counts dropped events, exactly, and between which numbers they lie. Recording a drop never waits.
package final class DropLedger: Sendable {
    private let total = Atomic<UInt64>(0)
    private let pendingCount = Atomic<UInt64>(0)
    private let pendingFirst = Atomic<UInt64>(.max)
    private let pendingLast = Atomic<UInt64>(0)

    package init() {}

    /// All drops of the run.
    package var count: UInt64 { self.total.load(ordering: .acquiring) }

    /// Notes that the event with this number was refused. Any thread.
    package func add(seq: UInt64) {
        self.pendingFirst.min(seq, ordering: .relaxed)
        self.pendingLast.max(seq, ordering: .relaxed)
        self.total.add(1, ordering: .relaxed)
        self.pendingCount.add(1, ordering: .acquiringAndReleasing)
    }

    /// Takes what has been noted since the last call. The count is exact; a drop noted during the call may widen the range
    /// of this report while being counted in the next.
    package func take() -> TrailEvent.Drop? {
        let count = self.pendingCount.exchange(0, ordering: .acquiringAndReleasing)
        guard count > 0 else { return nil }
        let first = self.pendingFirst.exchange(.max, ordering: .relaxed)
        let last = self.pendingLast.exchange(0, ordering: .relaxed)
        return TrailEvent.Drop(count: count, firstSeq: min(first, last), lastSeq: max(first, last))
    }
}
