// When a reader gives up on a record that was claimed and is not there.

/// How long a reader has waited for the record at its cursor.
///
/// Nearly always its writer was descheduled, and writes the record when it gets its turn: passing it loses an event. Waiting
/// delays what lies behind it and costs no event until the ring is full. So the wait is long while there is room, and short
/// when there is not. Time in which the reader itself stood still does not count, for then its whole process may have.
package struct UnfinishedWait {
    /// How long a record is waited for, in nanoseconds.
    package static let patience: UInt64 = 1_000_000_000
    /// The same when more than half of the ring is taken.
    package static let tightPatience: UInt64 = 50_000_000
    /// What counts of the time between two looks at the most, in nanoseconds.
    package static let step: UInt64 = 10_000_000

    /// When the reader looked last; 0 when it does not wait.
    private var lastLook: UInt64 = 0
    private var waited: UInt64 = 0

    package init() {}

    /// Whether the reader waits for a record.
    package var isUnderWay: Bool { self.lastLook != 0 }

    /// Counts another look in vain. Returns whether the record is to be passed.
    ///
    /// - Parameters:
    ///   - now: The monotonic clock, in nanoseconds.
    ///   - isTight: Whether more than half of the ring is taken.
    package mutating func isOver(at now: UInt64, isTight: Bool) -> Bool {
        if self.lastLook != 0, now > self.lastLook { self.waited += min(now - self.lastLook, Self.step) }
        self.lastLook = max(now, 1)
        return self.waited >= (isTight ? Self.tightPatience : Self.patience)
    }

    /// The record was there, or was passed.
    package mutating func end() {
        self.lastLook = 0
        self.waited = 0
    }
}
