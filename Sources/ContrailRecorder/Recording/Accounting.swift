// What became of every event that was produced.

/// What became of the events of a run. At any instant: produced = stored + dropped + torn + buffered.
public struct Accounting: Sendable, Equatable {
    /// How many events were numbered.
    public let produced: UInt64
    /// How many are committed to the trail.
    public let stored: UInt64
    /// How many the full ring refused. Each leaves a gap in the numbers, and a `drop` event says how many.
    public let dropped: UInt64
    /// How many were begun and never finished: their writer was stopped for longer than 50 ms. A `torn` event says where.
    public let torn: UInt64
    /// How many are on their way.
    public var buffered: UInt64 { self.produced - self.stored - self.dropped - self.torn }
}
