// One process life of a recorder, as a row of `runs`.

internal import ContrailRecorder
private import Foundation
internal import GRDB

/// A run: its row, its clock, and the lock that says it is alive.
final class TrailRun: Sendable {
    let id: Int64
    let uuid: String
    let clock: RunClock

    private let liveness: RunLiveness

    /// The ring of the run.
    let ring: RingMemory
    /// Runs that were found dead when this one began.
    let recovered: [RecoveredRun]

    /// Begins a run: first ends those whose process is gone, then adds the row. One transaction, under the write lock.
    init(_ queue: DatabaseQueue, app: String, configuration: TrailStore.Configuration) throws(StoreError) {
        let uuid = UUID().uuidString.lowercased()
        let clock = RunClock()
        let ring = RingPlace.make(
            RingLayout(slots: configuration.recorder.capacity),
            runUUID: uuid,
            clock: clock,
            directory: configuration.ringDirectory,
            database: queue.path,
            logger: configuration.logger
        )
        let liveness: RunLiveness
        do {
            liveness = try RunLiveness(database: queue.path, runUUID: uuid, ringPath: ring.path)
        } catch {
            ring.removeFile()
            throw error
        }
        do {
            (self.id, self.recovered) = try StorePhase.during(.recovery) {
                var dead: DeadRuns?
                let id = try queue.inTransaction(returning: Int64.self) { database in
                    dead = try DeadRuns(database, path: queue.path, integrity: configuration.integrity)
                    return try Self.insert(
                        database,
                        uuid: uuid,
                        app: app,
                        version: configuration.version,
                        clock: clock
                    )
                }
                dead?.removeFiles()
                return (id, dead?.recovered ?? [])
            }
        } catch {
            liveness.end()
            ring.removeFile()
            throw StoreError(error, path: queue.path)
        }
        self.uuid = uuid
        self.clock = clock
        self.liveness = liveness
        self.ring = ring
    }

    /// Marks the run as ended in order. How a context ended whose pop is not there, because it was dropped or never came, is
    /// not known.
    func markClean(_ queue: DatabaseQueue, at microseconds: Int64) throws {
        try queue.write { database in
            try database.execute(
                sql: "UPDATE context SET outcome = 'unknown' WHERE outcome = 'open' AND context_id >> 32 = ?",
                arguments: [self.id]
            )
            try database.execute(
                sql: "UPDATE run SET end_state = 'clean', ended_at = ? WHERE run_id = ?",
                arguments: [microseconds, self.id]
            )
        }
        // Everything in it is committed.
        self.ring.removeFile()
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
