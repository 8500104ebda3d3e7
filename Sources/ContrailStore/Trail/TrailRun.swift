// One process life of a recorder, as a row of `runs`.

internal import ContrailRecorder
private import Foundation
internal import GRDB
private import GRDBSQLite
private import Synchronization

/// A run: its ring, its clock, the lock that says it is alive, and its row in every database that it writes. There is one
/// database, unless that is damaged and a new one takes its place.
final class TrailRun: Sendable {
    let uuid: String
    let clock: RunClock
    /// The ring of the run.
    let ring: RingMemory

    private let path: String
    private let owner: RingOwner
    private let integrity: TrailStore.Integrity
    private let liveness = Mutex<RunLiveness?>(nil)

    /// Makes the ring. Cannot fail: where there is no place for a file the ring is memory of the process.
    init(path: String, app: String, configuration: TrailStore.Configuration) {
        self.path = path
        let redaction = configuration.recorder.redaction
        self.owner = RingOwner(
            app: redaction.redacted(app, limit: 128),
            version: redaction.redacted(configuration.version, limit: 128),
            host: Self.hostName,
            executable: CommandLine.arguments.first ?? ""
        )
        self.integrity = configuration.integrity
        self.uuid = UUID().uuidString.lowercased()
        self.clock = RunClock(wall: configuration.wallClock)
        self.ring = RingPlace.make(
            RingLayout(slots: configuration.recorder.capacity),
            runUUID: self.uuid,
            clock: self.clock,
            owner: self.owner,
            directory: configuration.ringDirectory,
            database: path,
            logger: configuration.logger
        )
    }

    /// What a run finds and gets when it begins in a database.
    struct Beginning {
        /// The id of the run there.
        let id: Int64
        /// Whether the database did not know the run.
        let isNew: Bool
        /// Runs that were found dead.
        let recovered: [RecoveredRun]
    }

    /// Begins the run in a database: first ends those whose process is gone, then adds the row. One transaction, under the write
    /// lock. Doing it again gives the same id.
    func begin(in queue: DatabaseQueue) throws -> Beginning {
        try self.beginLiveness(database: queue.path)
        return try StorePhase.during(.recovery) {
            var dead: DeadRuns?
            let row = try queue.reportingNumbers {
                try queue.inTransaction(returning: (id: Int64, isNew: Bool).self) { database in
                    dead = try DeadRuns(database, path: queue.path, integrity: self.integrity)
                    return try self.row(in: database)
                }
            }
            dead?.removeFiles()
            return Beginning(id: row.id, isNew: row.isNew, recovered: dead?.recovered ?? [])
        }
    }

    /// Lets whoever comes after a crash find the ring, although no database can be opened yet that would know the run. On a full
    /// disk the file may say nothing: then the ring is looked for in the usual places.
    func announce() { try? self.beginLiveness(database: self.path) }

    private func beginLiveness(database: String) throws {
        try self.liveness.withLock { liveness in
            let begun = try liveness ?? RunLiveness(database: database, runUUID: self.uuid, ringPath: self.ring.path)
            liveness = begun
            // Without this nobody would find a ring in a directory of its own.
            try begun.nameRing()
        }
    }

    /// Whether whoever comes after a crash can find the ring.
    var isKnown: Bool { self.liveness.withLock { $0 != nil } }

    /// Gives up a run of which no event is anywhere but in its ring.
    func abandon() {
        self.ring.removeFile()
        self.endLiveness()
    }

    /// Marks the run as ended in order. How a context ended whose pop is not there, because it was dropped or never came, is
    /// not known.
    func markClean(_ queue: DatabaseQueue, id: Int64, at microseconds: Int64) throws {
        try queue.write { database in
            try database.execute(
                sql: "UPDATE context SET outcome = 'unknown' WHERE outcome = 'open' AND context_id >> 32 = ?",
                arguments: [id]
            )
            try database.execute(
                sql: "UPDATE run SET end_state = 'clean', ended_at = ? WHERE run_id = ?",
                arguments: [microseconds, id]
            )
        }
        // Everything in it is committed.
        self.ring.removeFile()
        self.endLiveness()
    }

    private func endLiveness() {
        self.liveness.withLock { liveness in
            liveness?.end()
            liveness = nil
        }
    }

    private func row(in database: Database) throws -> (id: Int64, isNew: Bool) {
        let known = try Int64.fetchOne(
            database,
            sql: "SELECT run_id FROM run WHERE run_uuid = ?",
            arguments: [self.uuid]
        )
        if let known { return (known, false) }
        let (pid, at) = (ProcessInfo.processInfo.processIdentifier, self.clock.startMicroseconds)
        return (try Self.insert(self.uuid, self.owner, pid: pid, startedAt: at, database), true)
    }

    /// Adds the row of a run that counts as running. Returns its id.
    static func insert(
        _ uuid: String,
        _ owner: RingOwner,
        pid: Int32,
        startedAt: Int64,
        _ database: Database
    ) throws -> Int64 {
        try database.execute(
            sql: """
                INSERT INTO run (run_uuid, app, host, pid, executable, version, started_at, end_state)
                VALUES (?, ?, ?, ?, ?, ?, ?, 'running')
                """,
            arguments: [uuid, owner.app, owner.host, Int64(pid), owner.executable, owner.version, startedAt]
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
    /// Runs the closure; a failure of SQLite gets the number of the system's call that it came from. The closure must not be in
    /// an access to the database already.
    func reportingNumbers<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let error as DatabaseError {
            let number = self.writeWithoutTransaction { Self.lastNumber(of: $0.sqliteConnection) }
            throw StorageFailure(error: error, number: number)
        }
    }

    /// The number that the system gave last for the log, else for the file itself; 0 when it gave none. The connection itself
    /// forgets it on the way.
    private static func lastNumber(of connection: OpaquePointer?) -> CInt {
        for code in [SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER] {
            var file: UnsafeMutablePointer<sqlite3_file>?
            var number: CInt = 0
            guard sqlite3_file_control(connection, "main", code, &file) == SQLITE_OK, let file,
                file.pointee.pMethods?.pointee.xFileControl?(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK
            else { continue }
            if number != 0 { return number }
        }
        return 0
    }

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
