// The watch over a running query: time, cancellation and memory, looked at from inside SQLite.

internal import GRDBSQLite

/// Decides whether the query on one connection may go on.
///
/// SQLite asks every 50 operations of its virtual machine; the functions in QueryFunctions.swift ask in their loops.
/// Confined to the connection's caller, like the connection.
final class QueryWatch {
    enum Verdict {
        case timeout
        case cancelled
        case interrupted
        case memory
    }

    /// How many bytes SQLite may hold more than when the query began.
    ///
    /// Sorters and temporary tables are in no per-connection statistic, so it is the process's count that is watched.
    /// What other connections allocate meanwhile counts too; the limit is far above what they need.
    static let mostMemory: Int64 = 64 * 1024 * 1024
    // Reading the count takes a lock, so it is not done every time.
    private static let checksPerMemoryCheck = 16

    private(set) var verdict: Verdict?
    /// Set while this module's own statements run, which must not stop half-way.
    var isPaused = false
    private var deadline = ContinuousClock.now
    private var cancellation: QueryCancellation?
    private var memoryAtBegin: Int64 = 0
    private var checks = 0
    private var isOn = false

    func begin(until deadline: ContinuousClock.Instant, cancellation: QueryCancellation?) {
        self.verdict = nil
        self.deadline = deadline
        self.cancellation = cancellation
        self.memoryAtBegin = sqlite3_memory_used()
        self.checks = 0
        self.isOn = true
    }

    func end() {
        self.isOn = false
        self.cancellation = nil
    }

    /// Whether the query must stop. The first reason is kept in `verdict`.
    func mustStop() -> Bool {
        if self.isPaused { return false }
        guard self.isOn, self.verdict == nil else { return self.verdict != nil }
        self.checks &+= 1
        if let cancellation, cancellation.isCancelled {
            self.verdict = cancellation.isInterrupted ? .interrupted : .cancelled
        } else if ContinuousClock.now >= self.deadline {
            self.verdict = .timeout
        } else if self.checks % Self.checksPerMemoryCheck == 0,
            sqlite3_memory_used() - self.memoryAtBegin > Self.mostMemory
        {
            self.verdict = .memory
        }
        return self.verdict != nil
    }

    /// Makes itself the connection's progress handler. It must live as long as the connection.
    func install(on database: OpaquePointer) {
        sqlite3_progress_handler(
            database,
            50,
            { context in
                guard let context else { return 1 }
                return Unmanaged<QueryWatch>.fromOpaque(context).takeUnretainedValue().mustStop() ? 1 : 0
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }
}
