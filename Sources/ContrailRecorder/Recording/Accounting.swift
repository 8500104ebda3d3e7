// What became of every event that was produced.

/// What became of the events of a run. At any instant:
/// produced = stored + dropped + torn + sampled out + buffered.
public struct Accounting: Sendable, Equatable {
    /// How many events there were.
    public let produced: UInt64
    /// How many are committed to the trail.
    public let stored: UInt64
    /// How many the full ring refused. Each leaves a gap in the numbers, and a `drop` event says how many.
    public let dropped: UInt64
    /// How many were begun and never finished: their writer was stopped for longer than a second. A `torn` event says where.
    public let torn: UInt64
    /// How many have gone with contexts that were sampled out. They never had a number, so they leave no gap.
    public let sampledOut: UInt64
    /// How many are on their way: in the ring, or held for a sampled-out context that has not ended.
    public var buffered: UInt64 { self.produced - self.stored - self.dropped - self.torn - self.sampledOut }
}
