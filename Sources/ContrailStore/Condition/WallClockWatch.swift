// Notices when somebody sets the wall clock.

internal import ContrailRecorder

/// Compares the wall clock with what the run's own clock says. One thread.
struct WallClockWatch {
    /// A smaller step is no news, in microseconds.
    static let threshold: Int64 = 50_000
    /// Readings that took longer than this, in nanoseconds, say nothing: the thread was stopped in between.
    private static let patience: UInt64 = 10_000_000

    private let clock: RunClock
    private let wall: @Sendable () -> Int64
    private var offset: Int64 = 0

    init(_ clock: RunClock, wall: @escaping @Sendable () -> Int64) {
        self.clock = clock
        self.wall = wall
    }

    /// The step since the last look, if there was one.
    mutating func look() -> TrailEvent.ClockStep? {
        let before = MonotonicClock.nanoseconds
        let wall = self.wall()
        let after = MonotonicClock.nanoseconds
        guard after &- before < Self.patience else { return nil }
        let offset = wall &- self.clock.microseconds(at: after)
        let step = offset &- self.offset
        guard step > Self.threshold || step < -Self.threshold else { return nil }
        self.offset = offset
        return TrailEvent.ClockStep(microseconds: step, offset: offset, wall: wall)
    }
}
