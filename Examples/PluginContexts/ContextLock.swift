// A lock that fits in a variable.

internal import Synchronization

/// A lock as the originals keep one beside each variable: shared by everybody who has the same unit, or a snapshot of it.
///
/// It guards nothing by itself. See ``PluginDirectory`` for why these variables need none.
public final class ContextLock: Sendable {
    private let mutex = Mutex(())

    /// Makes a lock that is free.
    public init() {}

    /// Runs the closure while nobody else holds the lock. The closure must not wait for anything.
    public func withLock<Result>(_ body: () throws -> Result) rethrows -> Result {
        try self.mutex.withLock { _ in try body() }
    }
}
