// What a bare thread keeps: its worker and the root scope of imperative pushes. It dies with the thread.

private import CTaskRuntime

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
    /// What the room above ended last on the thread.
    package var lastEnded: Ended? { self.endedPlace.pointee.at == 0 ? nil : self.endedPlace.pointee }
    /// A place of its own, because every access to a variable of a class is checked, which costs more than writing it.
    private let endedPlace: UnsafeMutablePointer<Ended>
    /// What was set on the thread outside any scope and in a context, and not reset.
    private var sets: [(id: VariableID, variable: String, place: SetPlace)] = []
    /// The scope of imperative pushes made outside any task and any `with…` call.
    var root: Scope?

    /// Something that ended on a thread, kept for messages. It holds nothing alive but text.
    package struct Ended {
        package fileprivate(set) var kind: StaticString = ""
        package fileprivate(set) var name = ""
        package fileprivate(set) var path: String?
        package fileprivate(set) var fileID: StaticString = ""
        package fileprivate(set) var line: UInt = 0
        /// In nanoseconds of the monotonic clock; 0 when nothing has ended.
        package fileprivate(set) var at: UInt64 = 0
    }

    /// Whether the thread belongs to a pool that runs one piece of work after another: Dispatch's or NIO's.
    package private(set) lazy var isPooled: Bool = {
        #if canImport(Glibc)
        // Dispatch names its threads after the root queue, NIO after the pool (`TP-#0`, `SGLTN-TP-#0`) or the loop's group; the
        // system keeps 15 bytes of a name.
        let file = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { _ = close(file) }
        let name = withUnsafeTemporaryAllocation(byteCount: 16, alignment: 1) { buffer in
            String(decoding: buffer.prefix(max(0, read(file, buffer.baseAddress, buffer.count))), as: UTF8.self)
        }
        return name.contains("-qos") || name.hasPrefix("NIO-") || name.contains("TP-#")
        #else
        return pthread_main_np() == 0
        #endif
    }()

    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        // The state is released when its thread ends; a root that still has pushes reports them from its deinit.
        pthread_key_create(&key) { state in
            #if canImport(Glibc)
            guard let state else { return }
            #endif
            contrail_thread_slot_set(nil)
            Unmanaged<ThreadState>.fromOpaque(state).release()
        }
        return key
    }()

    private init() {
        self.threadID = Self.readThreadID()
        self.worker = Worker(kind: "thread", number: self.threadID)
        self.endedPlace = .allocate(capacity: 1)
        self.endedPlace.initialize(to: Ended())
    }

    deinit {
        self.endedPlace.deinitialize(count: 1)
        self.endedPlace.deallocate()
    }

    /// The state of the thread that calls, if it has one already.
    package static var existing: ThreadState? {
        guard let state = contrail_thread_slot_get() else { return nil }
        return Unmanaged<ThreadState>.fromOpaque(state).takeUnretainedValue()
    }

    /// The root scope of the thread that calls, if it has one.
    static var root: Scope? {
        guard let state = contrail_thread_slot_get() else { return nil }
        // The thread keeps its state for as long as it runs, which it is doing here.
        return Unmanaged<ThreadState>.fromOpaque(state)._withUnsafeGuaranteedRef { $0.root }
    }

    /// The state of the thread that calls, made on demand.
    package static var current: ThreadState {
        if let existing { return existing }
        let state = ThreadState()
        let counted = Unmanaged.passRetained(state).toOpaque()
        // The key is for the end of the thread, the slot for reading.
        pthread_setspecific(self.key, counted)
        contrail_thread_slot_set(counted)
        return state
    }

    /// The operating system's id of the thread that calls.
    package static var currentThreadID: Int64 {
        guard let state = contrail_thread_slot_get() else { return self.current.threadID }
        // The thread keeps its state for as long as it runs, which it is doing here.
        return Unmanaged<ThreadState>.fromOpaque(state)._withUnsafeGuaranteedRef { $0.threadID }
    }

    /// The worker that the thread that calls is.
    package static var currentWorker: Worker {
        guard let state = contrail_thread_slot_get() else { return self.current.worker }
        // The thread keeps its state for as long as it runs, which it is doing here.
        return Unmanaged<ThreadState>.fromOpaque(state)._withUnsafeGuaranteedRef { $0.worker }
    }

    /// Notes what ended last on the thread that calls.
    package static func noteEnded(
        _ kind: StaticString,
        of name: String,
        path: String?,
        fileID: StaticString,
        line: UInt,
        at time: UInt64
    ) {
        guard let state = contrail_thread_slot_get() else {
            _ = self.current
            return self.noteEnded(kind, of: name, path: path, fileID: fileID, line: line, at: time)
        }
        // The thread keeps its state for as long as it runs, which it is doing here.
        Unmanaged<ThreadState>.fromOpaque(state)._withUnsafeGuaranteedRef { state in
            state.endedPlace.pointee.kind = kind
            state.endedPlace.pointee.fileID = fileID
            state.endedPlace.pointee.line = line
            state.endedPlace.pointee.at = time
            // One thread runs the contexts of one app nearly always: what is there already need not be counted.
            if state.endedPlace.pointee.name != name { state.endedPlace.pointee.name = name }
            if path != nil || state.endedPlace.pointee.path != nil { state.endedPlace.pointee.path = path }
        }
    }

    // MARK: - Values set on the thread

    /// Notes that a variable was set on the root of the thread. Outside any context that is the thread's own business.
    func noteSet(_ id: VariableID, _ variable: String, fileID: StaticString, line: UInt) {
        let place = SetPlace(fileID: fileID, line: line)
        guard place.owner != nil else { return }
        self.sets.append((id, variable, place))
    }

    /// Notes that the last set of a variable was undone.
    func noteReset(_ id: VariableID) {
        if let index = self.sets.lastIndex(where: { $0.id == id }) { self.sets.remove(at: index) }
    }

    /// Removes what was set in contexts that have ended, and says what it was, each variable once.
    package func takeStrayValues() -> [StrayValue] {
        guard !self.sets.isEmpty else { return [] }
        var strays: [(id: VariableID, value: StrayValue)] = []
        self.sets.removeAll { set in
            guard set.place.owner?.isRunning == false else { return false }
            strays.removeAll { $0.id == set.id }
            strays.append((set.id, StrayValue(variable: set.variable, place: set.place)))
            return true
        }
        for stray in strays where !self.sets.contains(where: { $0.id == stray.id }) {
            self.root?.branch.exchange(nil, for: stray.id)
        }
        return strays.map(\.value)
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
