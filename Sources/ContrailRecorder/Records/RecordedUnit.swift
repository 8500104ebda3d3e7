// A unit of work as records name it: for those who record it more than once.

/// A unit of work in the words of one ring: its epoch, and its worker by the number of its kind in the dictionary.
///
/// Nothing but numbers, so that whoever opens something keeps it for the record of its end. Of use to the recorder alone that
/// gave it (``FlightRecorder/recordedUnit(workerKind:workerNumber:epoch:)``).
package struct RecordedUnit: Sendable {
    let workerKind: RingEntry
    let workerNumber: UInt32
    package let epoch: UInt64
}

/// The kind of a worker as records name it, for those who open many units on workers of one kind.
package struct RecordedWorkerKind: Sendable, BitwiseCopyable {
    fileprivate let entry: RingEntry

    /// The unit of such a worker; nil when the worker needs more than numbers, and is written out each time.
    @inline(__always)
    package func unit(number: UInt64, epoch: UInt64) -> RecordedUnit? {
        guard self.entry != .inline, number < UInt64(RecordHead.wideNumber) else { return nil }
        return RecordedUnit(workerKind: self.entry, workerNumber: UInt32(truncatingIfNeeded: number), epoch: epoch)
    }
}

extension FlightRecorder {
    /// What is to be recorded of a kind of workers.
    package func workerKind(_ kind: String) -> RecordedWorkerKind {
        RecordedWorkerKind(entry: self.entry(ofWorkerKind: kind))
    }

    /// A unit of work in the words of this recorder's ring; nil when its worker needs more than numbers, and is written out
    /// each time.
    @inline(__always)
    package func recordedUnit(workerKind: String?, workerNumber: Int64, epoch: UInt64) -> RecordedUnit? {
        let kind = RecordedWorkerKind(entry: workerKind.map { self.entry(ofWorkerKind: $0) } ?? .none)
        return kind.unit(number: UInt64(bitPattern: workerNumber), epoch: epoch)
    }
}
