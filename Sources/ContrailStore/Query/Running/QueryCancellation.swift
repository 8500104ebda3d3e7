// The switch with which another thread stops a query.

private import Synchronization

/// Stops the query that was started with it; once thrown it stays thrown.
package final class QueryCancellation: Sendable {
    private let flag = Atomic(false)

    package init() {}

    /// Stops the query at its next check, which is some microseconds away. From any thread.
    package func cancel() {
        self.flag.store(true, ordering: .relaxed)
    }

    /// Whether ``cancel()`` was called.
    package var isCancelled: Bool {
        self.flag.load(ordering: .relaxed)
    }
}
