// The threads on which a program runs.

private import Foundation
private import Synchronization

/// Bare threads that start without contexts and variables.
///
/// They stay until they are released together: a thread that ends would tear down the contexts that it leaves pushed, and the
/// language keeps those.
final class BareThreads: Sendable {
    private let released = DispatchSemaphore(value: 0)

    /// Runs the closure on a new thread, waits for it, and gives its error.
    func run(_ body: @escaping @Sendable () throws -> Void) throws {
        let (done, released, failure) = (DispatchSemaphore(value: 0), self.released, Failure())
        let thread = Thread {
            do { try body() } catch { failure.error.withLock { $0 = error } }
            done.signal()
            released.wait()
            released.signal()
        }
        // Deep enough for every nesting that a program may have.
        thread.stackSize = 64 << 20
        thread.start()
        done.wait()
        if let error = failure.error.withLock({ $0 }) { throw error }
    }

    /// Lets all threads end, one after the other.
    func release() { self.released.signal() }

    private final class Failure: Sendable {
        let error = Mutex<(any Error)?>(nil)
    }
}
