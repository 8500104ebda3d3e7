// How long work takes on a machine that has other things to do as well.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// The processor time of the thread that calls, of which others on a busy machine take nothing.
package enum ThreadTime {
    /// Runs the closure, and returns how much of this time it took beside its result.
    package static func of<Result>(_ body: () throws -> Result) rethrows -> (time: Duration, result: Result) {
        let start = self.now
        let result = try body()
        return (self.now - start, result)
    }

    private static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
