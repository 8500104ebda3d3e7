// The query pools of this process, so that whoever writes a trail can reach those who read it.

private import Synchronization

/// Knows the pools by the trail they read. Any thread.
enum QueryPools {
    private struct Entry: Sendable {
        let path: String
        weak var pool: QueryPool?
    }

    private static let entries = Mutex<[Entry]>([])

    /// Makes a pool known for as long as it lives.
    static func add(_ pool: QueryPool, path: String) {
        // Resolved when it is asked for: the file may not be there yet.
        self.entries.withLock { entries in
            entries.removeAll { $0.pool == nil }
            entries.append(Entry(path: path, pool: pool))
        }
    }

    /// Interrupts the queries over a trail that began before the instant. Returns how many.
    static func interrupt(path: String, begunBefore instant: ContinuousClock.Instant) -> Int {
        let real = FileIdentity.realPath(of: path)
        let pools = self.entries.withLock { entries in
            entries.filter { FileIdentity.realPath(of: $0.path) == real }.compactMap(\.pool)
        }
        return pools.reduce(0) { $0 + $1.interrupt(begunBefore: instant) }
    }
}
