// What a batch is measured with: a clock, unless a program counts something else.

import Dispatch
import Synchronization

/// Reads what is counted: nanoseconds of the monotonic clock by default, allocations in the program that counts them.
public enum Meter {
    /// A reading that only grows.
    public typealias Reading = @Sendable () -> UInt64

    private static let reading = Mutex<Reading>({ DispatchTime.now().uptimeNanoseconds })

    /// Counts something else from now on. Call it before any row is measured.
    public static func use(_ reading: @escaping Reading) {
        self.reading.withLock { $0 = reading }
    }

    private static var current: Reading { self.reading.withLock { $0 } }

    /// What `count` calls cost, divided by their number.
    @inline(__always)
    static func each(_ count: Int, _ operation: () -> Void) -> Double {
        let read = self.current
        let start = read()
        for _ in 0..<count { operation() }
        return Double(read() - start) / Double(count)
    }

    /// What `count` calls cost, divided by their number.
    @inline(__always)
    nonisolated(nonsending) static func eachAwaited(
        _ count: Int,
        _ operation: nonisolated(nonsending) () async -> Void
    ) async -> Double {
        let read = self.current
        let start = read()
        for _ in 0..<count { await operation() }
        return Double(read() - start) / Double(count)
    }
}

/// Keeps the optimiser from seeing that a value is not used.
@inline(never)
func keep<Value>(_ value: borrowing Value) {}
