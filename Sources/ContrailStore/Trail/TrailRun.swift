// One process life of a recorder, as a row of `runs`.

private import Foundation
internal import GRDB

/// A run: its row, its clock, and the lock that says it is alive.
final class TrailRun: Sendable {
    let id: Int64
    let uuid: String
    let clock: RunClock

    private let liveness: RunLiveness

    /// Begins a run: first ends those whose process is gone, then adds the row. One transaction, under the write lock.
    init(_ queue: DatabaseQueue, app: String, version: String) throws(StoreError) {
        let uuid = UUID().uuidString.lowercased()
        let clock = RunClock()
        let liveness = try RunLiveness(database: queue.path, runUUID: uuid)
        do {
            self.id = try queue.inTransaction(returning: Int64.self) { database in
                try Self.endDeadRuns(database, path: queue.path)
                return try Self.insert(database, uuid: uuid, app: app, version: version, clock: clock)
            }
        } catch {
            liveness.end()
            throw StoreError(error, path: queue.path)
        }
        self.uuid = uuid
        self.clock = clock
        self.liveness = liveness
    }

    /// Marks the run as ended in order. How a context ended whose pop is not there, because it was dropped or never came, is
    /// not known.
    func markClean(_ queue: DatabaseQueue, at microseconds: Int64) throws {
        try queue.write { database in
            try database.execute(
                sql: "UPDATE context SET outcome = 'unknown' WHERE outcome = 'open' AND run_id = ?",
                arguments: [self.id]
            )
            try database.execute(
                sql: "UPDATE run SET end_state = 'clean', ended_at = ? WHERE run_id = ?",
                arguments: [microseconds, self.id]
            )
        }
        self.liveness.end()
    }

    private static func insert(
        _ database: Database,
        uuid: String,
        app: String,
        version: String,
        clock: RunClock
    ) throws -> Int64 {
        let process = ProcessInfo.processInfo
        try database.execute(
            sql: """
                INSERT INTO run (run_uuid, app, host, pid, executable, version, started_at, end_state)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'running')
                """,
            arguments: [
                uuid, app, self.hostName, Int64(process.processIdentifier), CommandLine.arguments.first ?? "", version,
                clock.startMicroseconds,
            ]
        )
        return database.lastInsertedRowID
    }

    /// The machine's own name for itself. Foundation's would ask the network.
    private static var hostName: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress, gethostname(start, buffer.count) == 0 else { return "" }
            return String(cString: start)
        }
    }

    /// Marks runs whose process is gone as crashed, and their open contexts as died. When such a run ended is not known; its
    /// last event is.
    private static func endDeadRuns(_ database: Database, path: String) throws {
        let running = try Row.fetchAll(database, sql: "SELECT run_id, run_uuid FROM run WHERE end_state = 'running'")
        for row in running {
            let id: Int64 = row["run_id"]
            let uuid: String = row["run_uuid"]
            if RunLiveness.isAlive(database: path, runUUID: uuid) { continue }
            try database.execute(
                sql: "UPDATE context SET outcome = 'died' WHERE outcome = 'open' AND run_id = ?",
                arguments: [id]
            )
            try database.execute(
                sql: """
                    UPDATE run SET end_state = 'crashed', ended_at = coalesce(
                        (SELECT at FROM event WHERE run_id = ?1 ORDER BY id DESC LIMIT 1), started_at)
                    WHERE run_id = ?1
                    """,
                arguments: [id]
            )
        }
    }
}

extension DatabaseQueue {
    /// Runs the closure in a transaction that takes the write lock at once.
    func inTransaction<Result>(returning: Result.Type, _ body: (Database) throws -> Result) throws -> Result {
        var result: Result?
        try self.inTransaction(.immediate) { database in
            result = try body(database)
            return .commit
        }
        guard let result else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
        return result
    }
}
