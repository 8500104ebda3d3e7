// The signal of the limit on file sizes, which must not end a service because its trail is long.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Keeps `SIGXFSZ` from the threads that write the trail. The kernel sends it to the thread whose write passes the limit, and
/// its default ends the process; blocked, it leaves the write with an error, which the drain can live with.
enum FileSizeSignal {
    /// Blocks the signal for the rest of the thread's life.
    static func block() {
        var set = self.set
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Blocks the signal during the call, on a thread that is somebody else's.
    static func blocked<Result, Failure: Error>(_ body: () throws(Failure) -> Result) throws(Failure) -> Result {
        var set = self.set
        var before = sigset_t()
        pthread_sigmask(SIG_BLOCK, &set, &before)
        defer {
            if sigismember(&before, SIGXFSZ) == 0 { self.discard(&set) }
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        return try body()
    }

    private static var set: sigset_t {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGXFSZ)
        return set
    }

    /// Takes a signal that came meanwhile: it would be delivered as soon as it is not blocked any more.
    private static func discard(_ set: inout sigset_t) {
        var pending = sigset_t()
        guard sigpending(&pending) == 0, sigismember(&pending, SIGXFSZ) == 1 else { return }
        var number: CInt = 0
        sigwait(&set, &number)
    }
}
