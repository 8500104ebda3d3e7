// What became of every event that was produced.

/// What became of the events of a run. At any instant: produced = stored + dropped + buffered.
public struct Accounting: Sendable, Equatable {
    /// How many events were numbered.
    public let produced: UInt64
    /// How many are committed to the trail.
    public let stored: UInt64
    /// How many the full buffer refused. Each leaves a gap in the numbers, and a `drop` event says how many.
    public let dropped: UInt64
    /// How many are on their way.
    public var buffered: UInt64 { self.produced - self.stored - self.dropped }
}
