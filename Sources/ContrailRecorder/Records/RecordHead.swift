// What every record carries, whatever its kind.

/// Where and when something was recorded: the context it belongs to, and the worker, unit and thread it happened on.
///
/// @unchecked Sendable: what is not counted is immutable, and lent for the time of a call.
package struct RecordHead: @unchecked Sendable {
    let context: TrailEvent.ContextOrdinal
    let workerKind: RingEntry
    let workerNumber: UInt32
    let epoch: UInt64
    let thread: Int64
    let time: UInt64
    /// What did not fit; nil nearly always. Not counted, so that a head is nothing but numbers: who made the head holds it.
    let wide: Unmanaged<WideWorker>?

    /// Of something that happened on no worker.
    package init(
        context: TrailEvent.ContextOrdinal = 0,
        epoch: UInt64 = 0,
        thread: Int64 = 0,
        time: UInt64 = MonotonicClock.nanoseconds
    ) {
        self.init(
            context: context,
            workerKind: .none,
            workerNumber: 0,
            epoch: epoch,
            thread: thread,
            time: time,
            wide: nil
        )
    }

    /// Of something that happened in a unit which the same recorder has put into words.
    @inline(__always)
    package init(context: TrailEvent.ContextOrdinal, unit: RecordedUnit, thread: Int64, time: UInt64) {
        self.init(
            context: context,
            workerKind: unit.workerKind,
            workerNumber: unit.workerNumber,
            epoch: unit.epoch,
            thread: thread,
            time: time,
            wide: nil
        )
    }

    init(
        context: TrailEvent.ContextOrdinal,
        workerKind: RingEntry,
        workerNumber: UInt32,
        epoch: UInt64,
        thread: Int64,
        time: UInt64,
        wide: Unmanaged<WideWorker>?
    ) {
        self.context = context
        self.workerKind = workerKind
        self.workerNumber = workerNumber
        self.epoch = epoch
        self.thread = thread
        self.time = time
        self.wide = wide
    }

    /// Stands in place of a number that follows in the record.
    static let wideNumber = UInt32.max
}

/// A worker whose number needs more than 32 bits, or whose kind found no room in the dictionary.
package final class WideWorker: Sendable {
    let kind: String
    let number: Int64

    init(kind: String, number: Int64) {
        self.kind = kind
        self.number = number
    }
}
