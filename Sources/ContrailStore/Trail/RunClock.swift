// Turns readings of the monotonic clock into dates that never run backwards within a run.

internal import ContrailRecorder

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// One pair of readings, of the wall clock and of the monotonic one, taken when the run began.
struct RunClock {
    /// When the run began, in UTC microseconds since 1970.
    let startMicroseconds: Int64

    /// The monotonic clock at that moment, in nanoseconds.
    let anchorNanoseconds: UInt64

    /// - Parameter wall: Reads the wall clock, in UTC microseconds since 1970.
    init(wall: () -> Int64 = Self.wallMicroseconds) {
        self.startMicroseconds = wall()
        self.anchorNanoseconds = MonotonicClock.nanoseconds
    }

    /// The wall clock, in UTC microseconds since 1970.
    @Sendable
    static func wallMicroseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// The clock of a run that began elsewhere or before, from the pair of readings that it left.
    init(startMicroseconds: Int64, anchorNanoseconds: UInt64) {
        self.startMicroseconds = startMicroseconds
        self.anchorNanoseconds = anchorNanoseconds
    }

    /// The date of a reading, in UTC microseconds since 1970.
    func microseconds(at nanoseconds: UInt64) -> Int64 {
        // A ring that was damaged may say anything: that is a wrong date and no reason to stop.
        self.startMicroseconds &+ Int64(bitPattern: nanoseconds &- self.anchorNanoseconds) / 1000
    }
}
