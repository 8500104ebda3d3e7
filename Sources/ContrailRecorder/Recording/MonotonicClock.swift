// The recorder's clock.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Reads the monotonic clock: it never runs backwards, and it says nothing about the date.
package enum MonotonicClock {
    /// Nanoseconds since some fixed moment of this boot. May be called from anywhere; does not allocate.
    @inline(__always)
    package static var nanoseconds: UInt64 {
        self.read(CLOCK_MONOTONIC)
    }

    /// The same, at most a few milliseconds ago and never in the future, for a quarter of the price.
    package static var recentNanoseconds: UInt64 {
        #if canImport(Glibc)
        self.read(CLOCK_MONOTONIC_COARSE)
        #else
        self.nanoseconds
        #endif
    }

    @inline(never)
    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(bitPattern: Int64(time.tv_sec)) &* 1_000_000_000 &+ UInt64(bitPattern: Int64(time.tv_nsec))
    }
}
