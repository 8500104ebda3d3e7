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

extension FlightRecorder {
    /// A unit of work in the words of this recorder's ring; nil when its worker needs more than numbers, and is written out
    /// each time.
    @inline(__always)
    package func recordedUnit(workerKind: String?, workerNumber: Int64, epoch: UInt64) -> RecordedUnit? {
        let kind = workerKind.map { self.entry(ofWorkerKind: $0) } ?? .none
        guard kind != .inline, UInt64(bitPattern: workerNumber) < UInt64(RecordHead.wideNumber) else { return nil }
        return RecordedUnit(workerKind: kind, workerNumber: UInt32(truncatingIfNeeded: workerNumber), epoch: epoch)
    }
}
