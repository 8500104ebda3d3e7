// One thread that records, and what it noted of each record.

import Contrail
import Foundation
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// Sets values of `g` on a thread of its own, in small portions a millisecond apart.
final class Producer: Sendable {
    /// What a thread measured.
    struct Result: Sendable {
        var nanoseconds: [UInt32] = []
        var minorFaults = 0
        var majorFaults = 0
    }

    private let app: App
    private let number: Int
    private let rate: Int
    private let seconds: Int
    private let result = Mutex(Result())
    private let isDone = DispatchSemaphore(value: 0)

    init(_ app: App, number: Int, rate: Int, seconds: Int) {
        self.app = app
        self.number = number
        self.rate = rate
        self.seconds = seconds
    }

    func start() {
        let thread = Thread { [self] in
            let result = self.record()
            self.result.withLock { $0 = result }
            self.isDone.signal()
        }
        thread.name = "producer-\(self.number)"
        thread.start()
    }

    /// Waits for the end.
    func wait() -> Result {
        self.isDone.wait()
        return self.result.withLock { $0 }
    }

    private func record() -> Result {
        var result = Result()
        let portion = max(1, self.rate / 1000)
        // Made before, so that none of the faults is its own.
        result.nanoseconds = [UInt32](repeating: 1, count: portion * 1000 * self.seconds)
        var index = 0
        withAppContext(self.app) { context in
            // Whatever happens once has happened before it counts.
            for number in 0..<1000 { context.g["value"] = number }
            let before = Self.faults
            Pace.each(milliseconds: 1, 1000 * self.seconds) {
                for _ in 0..<portion {
                    let begin = Self.now
                    context.g["value"] = index
                    result.nanoseconds[index] = UInt32(clamping: Self.now - begin)
                    index += 1
                }
            }
            let after = Self.faults
            result.minorFaults = after.minor - before.minor
            result.majorFaults = after.major - before.major
        }
        return result
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static var faults: (minor: Int, major: Int) {
        var usage = rusage()
        #if os(Linux)
        // RUSAGE_THREAD, which Swift does not see.
        getrusage(1, &usage)
        #else
        getrusage(RUSAGE_SELF, &usage)
        #endif
        return (usage.ru_minflt, usage.ru_majflt)
    }
}
