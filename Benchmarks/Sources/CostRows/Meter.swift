// What a batch is measured with: a clock, unless a program counts something else.

import Dispatch
import Synchronization

/// Reads what is counted: nanoseconds of the monotonic clock by default, allocations in the program that counts them.
public enum Meter {
    /// A reading that only grows.
    public typealias Reading = @Sendable () -> UInt64

    /// A function in a place for any value is wrapped once more at each look at it; in a structure it is not.
    private struct Kept {
        var read: Reading
    }

    private static let kept = Mutex(Kept { DispatchTime.now().uptimeNanoseconds })

    /// Counts something else from now on. Call it before any row is measured.
    public static func use(_ reading: @escaping Reading) {
        self.kept.withLock { $0.read = reading }
    }

    private static var current: Reading { self.kept.withLock { $0.read } }

    /// So few calls are measured at once that some stretches pass without an interruption, on a busy machine too.
    static let stretch = 256

    /// What one call costs in the cheapest stretch of `count` calls.
    @inline(__always)
    static func each(_ count: Int, _ operation: () -> Void) -> Double {
        let read = self.current
        var cheapest = UInt64.max
        for _ in 0..<max(1, count / self.stretch) {
            let start = read()
            for _ in 0..<self.stretch { operation() }
            cheapest = min(cheapest, read() - start)
        }
        return Double(cheapest) / Double(self.stretch)
    }

    /// What one call costs in the cheapest stretch, as ``each(_:_:)`` measures it.
    @inline(__always)
    nonisolated(nonsending) static func eachAwaited(
        _ count: Int,
        _ operation: nonisolated(nonsending) () async -> Void
    ) async -> Double {
        let read = self.current
        var cheapest = UInt64.max
        for _ in 0..<max(1, count / self.stretch) {
            let start = read()
            for _ in 0..<self.stretch { await operation() }
            cheapest = min(cheapest, read() - start)
        }
        return Double(cheapest) / Double(self.stretch)
    }
}

/// Keeps the optimiser from seeing that a value is not used.
@inline(never)
func keep<Value>(_ value: borrowing Value) {}
