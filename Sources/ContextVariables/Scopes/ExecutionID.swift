// Who is executing: a task, or a thread without one. Ownership of scopes is decided by comparing these.

private import CTaskRuntime

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// The identity of the running task, or of the running thread when no task runs on it.
///
/// It is compared with the identity of an owner that is suspended in its own `with…` call or is the thread itself, so the
/// reuse of a dead task's address cannot make two owners look the same: a scope of contexts is found closed before its owner
/// is asked for. A scope of variables alone is not closed; there a task that outlives it could at worst be taken for its
/// owner and set a variable that nobody but other stragglers sees.
@usableFromInline
package struct ExecutionID: Equatable, Sendable {
    /// An address, which is even, and one more for a task.
    @usableFromInline package let word: UInt

    /// The identity that a word was taken from.
    package init(word: UInt) {
        self.word = word
    }

    /// Whether a task runs here. Without one, imperative pushes land on the thread.
    @inlinable package var isTask: Bool { self.word & 1 != 0 }

    /// The identity of the caller. May be called from anywhere; costs a thread-local read.
    package static var current: ExecutionID {
        // What `withUnsafeCurrentTask` gives is this pointer in a wrapper whose copies are counted.
        if let task = swift_task_getCurrent() { return ExecutionID(word: UInt(bitPattern: task) | 1) }
        return ExecutionID(word: Self.address(of: pthread_self()))
    }

    #if canImport(Glibc)
    private static func address(of thread: pthread_t) -> UInt { UInt(thread) }
    #else
    private static func address(of thread: pthread_t) -> UInt { UInt(bitPattern: thread) }
    #endif

    /// Whether the caller runs in a task.
    package static var isInTask: Bool {
        swift_task_getCurrent() != nil
    }
}
