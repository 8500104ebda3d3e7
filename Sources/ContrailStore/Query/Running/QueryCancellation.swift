// The switch with which another thread stops a query.

private import Synchronization

/// Stops the query that was started with it; once thrown it stays thrown.
package final class QueryCancellation: Sendable {
    private let flag = Atomic(false)
    private let isInTheWay = Atomic(false)

    package init() {}

    /// Stops the query at its next check, which is some microseconds away. From any thread.
    package func cancel() {
        self.flag.store(true, ordering: .relaxed)
    }

    /// Stops the query because writers cannot empty the trail's log while it reads. From any thread.
    func interrupt() {
        self.isInTheWay.store(true, ordering: .relaxed)
        self.cancel()
    }

    /// Whether ``interrupt()`` was called.
    var isInterrupted: Bool { self.isInTheWay.load(ordering: .relaxed) }

    /// Whether ``cancel()`` was called.
    package var isCancelled: Bool {
        self.flag.load(ordering: .relaxed)
    }
}
