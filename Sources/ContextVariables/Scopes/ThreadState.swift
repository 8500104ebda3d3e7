// What a bare thread keeps: its worker and the root scope of imperative pushes. It dies with the thread.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// The state of one thread. Only the thread itself reaches it.
package final class ThreadState {
    /// The operating system's id of the thread.
    package let threadID: Int64
    /// The worker that a thread is to the units it hosts: `thread:4711`.
    package let worker: Worker
    /// The scope of imperative pushes made outside any task and any `with…` call.
    var root: Scope?

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        // The state is released when its thread ends; a root that still has pushes reports them from its deinit.
        pthread_key_create(&key) { state in
            #if canImport(Glibc)
            guard let state else { return }
            #endif
            Unmanaged<ThreadState>.fromOpaque(state).release()
        }
        return key
    }()

    private init() {
        self.threadID = Self.readThreadID()
        self.worker = Worker(kind: "thread", number: self.threadID)
    }

    /// The state of the thread that calls, if it has one already.
    package static var existing: ThreadState? {
        guard let state = pthread_getspecific(self.key) else { return nil }
        return Unmanaged<ThreadState>.fromOpaque(state).takeUnretainedValue()
    }

    /// The state of the thread that calls, made on demand.
    package static var current: ThreadState {
        if let existing { return existing }
        let state = ThreadState()
        pthread_setspecific(self.key, Unmanaged.passRetained(state).toOpaque())
        return state
    }

    /// Swift imports neither `gettid` nor the variadic `syscall`; the kernel also shows the id as a link, `PID/task/TID`.
    private static func readThreadID() -> Int64 {
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            let length = readlink("/proc/thread-self", start, buffer.count)
            return String(decoding: buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        return path.split(separator: "/").last.flatMap { Int64($0) } ?? Int64(getpid())
    }
}
