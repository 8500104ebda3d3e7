// Runs whose process is gone: their rings are moved into the database, and they are marked for what they are.

internal import ContrailRecorder
internal import GRDB

/// Ends the runs of processes that are gone. Everything happens in the caller's transaction, which holds the write lock; the
/// files are removed by ``removeFiles()`` after the commit, so that a crash in between loses nothing.
struct DeadRuns {
    /// What was found, in the order of the runs.
    private(set) var recovered: [RecoveredRun] = []
    private var files: [String] = []

    /// Finds dead runs and writes down what is left of them.
    init(_ database: Database, path: String, integrity: TrailStore.Integrity) throws {
        let remains = RunLiveness.dead(database: path)
        try self.addUnknown(remains, database)
        let running = try Row.fetchAll(database, sql: "SELECT run_id, run_uuid, end_state FROM run ORDER BY run_id")
        for row in running {
            let uuid: String = row["run_uuid"]
            let left = remains.first { $0.runUUID == uuid }
            let isRunning = row["end_state"] == "running"
            guard left != nil || isRunning, !RunLiveness.isAlive(database: path, runUUID: uuid) else { continue }
            var report = RecoveredRun(runID: row["run_id"], runUUID: uuid)
            if let ring = left?.ringPath {
                try self.recover(ring, database, integrity, &report)
                // A ring that could not be read stays where it is, for whoever can.
                if report.failure == nil { self.files.append(ring) }
            }
            // It is the only pointer to the ring: it stays for as long as that could not be read.
            if let left, report.failure == nil { self.files.append(left.path) }
            if isRunning { try Self.end(database, &report) }
            if isRunning || report.events > 0 || report.failure != nil { self.recovered.append(report) }
        }
    }

    /// Gives those a row that died while the database could not be written, with everything that they had recorded in their rings.
    /// Those that had recorded nothing leave files alone. A ring that cannot be read stays where it is, with what leads to it.
    private mutating func addUnknown(_ remains: [RunLiveness.Remains], _ database: Database) throws {
        let known = try Set(String.fetchAll(database, sql: "SELECT run_uuid FROM run"))
        for left in remains where left.isLeft && !known.contains(left.runUUID) {
            guard let ring = left.ringPath else {
                self.files.append(left.path)
                continue
            }
            guard let header = try? DeadRing(path: ring).header else { continue }
            guard header.hasNews, header.runUUID == left.runUUID else {
                self.files += [ring, left.path]
                continue
            }
            _ = try TrailRun.insert(
                left.runUUID,
                header.owner,
                pid: header.processID,
                startedAt: header.anchorWall,
                database
            )
        }
    }

    private mutating func recover(
        _ ring: String,
        _ database: Database,
        _ integrity: TrailStore.Integrity,
        _ report: inout RecoveredRun
    ) throws {
        do {
            var recovery = try RingRecovery(path: ring, runID: report.runID, runUUID: report.runUUID)
            try recovery.run(database, integrity: integrity, &report)
        } catch let error as RingError {
            report.failure = error.message
        } catch let error as StoreError {
            report.failure = error.message
        }
    }

    /// Marks the run as crashed, and its open contexts as died. When it ended is not known; its last event is.
    private static func end(_ database: Database, _ report: inout RecoveredRun) throws {
        try database.execute(
            sql: "UPDATE context SET outcome = 'died' WHERE outcome = 'open' AND context_id >> 32 = ?",
            arguments: [report.runID]
        )
        report.died = database.changesCount
        try database.execute(
            sql: """
                UPDATE run SET end_state = 'crashed', ended_at = coalesce(
                    (SELECT e.at FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane WHERE l.run_id = ?1
                        ORDER BY e.id DESC LIMIT 1), started_at)
                WHERE run_id = ?1
                """,
            arguments: [report.runID]
        )
    }

    /// Removes what the dead runs left beside the database. Call it after the commit.
    func removeFiles() {
        for file in self.files { RunLiveness.remove(file) }
    }
}
