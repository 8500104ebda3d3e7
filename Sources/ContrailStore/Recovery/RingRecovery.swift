// Moves what a dead process's ring holds into the database.

internal import ContrailRecorder
internal import GRDB

/// Reads one ring to its end, inside a transaction that holds the write lock. Doing it again adds nothing: events are told by
/// run and number.
struct RingRecovery {
    /// How many events are handed to the writer at once.
    private static let batchSize = 4096

    private let runID: Int64
    private var ring: DeadRing

    /// Opens the ring of a run. Throws ``RingError``; also when the file is another run's.
    init(path: String, runID: Int64, runUUID: String) throws {
        self.runID = runID
        self.ring = try DeadRing(path: path)
        guard self.ring.header.runUUID == runUUID else {
            throw StoreError(
                .notATrail,
                "the ring \(path) is of the run \(self.ring.header.runUUID), not of \(runUUID)"
            )
        }
    }

    /// Writes what the database does not have.
    mutating func run(
        _ database: Database,
        integrity: TrailStore.Integrity,
        _ report: inout RecoveredRun
    ) throws {
        let header = self.ring.header
        let clock = RunClock(startMicroseconds: header.anchorWall, anchorNanoseconds: header.anchorMonotonic)
        let stored = try Self.lastStored(database, runID: self.runID)
        var writer = try BatchWriter(database, runID: self.runID, clock: clock, integrity: integrity)
        var batch: [TrailEvent] = []
        var torn: [TrailEvent.Torn] = []
        var latest: UInt64 = header.anchorMonotonic
        while let finding = self.ring.next() {
            switch consume finding {
            case .event(let event):
                latest = event.monotonicNanoseconds
                batch.append(event)
            case .torn(let record): torn.append(record)
            }
            if batch.count == Self.batchSize {
                report.events += try writer.writeMissing(batch, database)
                batch.removeAll(keepingCapacity: true)
            }
        }
        report.events += try writer.writeMissing(batch, database)
        report.torn = torn.count
        // Nobody has had these numbers: the process that counted is gone.
        var spare = self.ring.lastSeq
        var losses: [TrailEvent] = torn.map { record in
            spare += 1
            return Self.event(.torn(record), seq: spare, at: latest)
        }
        let reported = try Self.reportedDrops(database, runID: self.runID) &+ header.droppedBefore
        if header.dropped > reported {
            report.dropped = header.dropped - reported
            // The numbers behind the last commit that are missing, if those are enough; else it may be any.
            let missing = self.ring.lastSeq &- stored &- UInt64(report.events + report.torn)
            let drop = TrailEvent.Drop(
                count: report.dropped,
                firstSeq: self.ring.lastSeq >= stored && missing >= report.dropped ? stored + 1 : 1,
                lastSeq: self.ring.lastSeq,
                cause: .crashed
            )
            losses.append(Self.event(.drop(drop), seq: spare + 1, at: latest))
        }
        try writer.writeMissing(losses, database)
    }

    private static func event(_ body: TrailEvent.Body, seq: UInt64, at time: UInt64) -> TrailEvent {
        TrailEvent(
            seq: seq,
            monotonicNanoseconds: time,
            thread: nil,
            worker: nil,
            epoch: nil,
            context: nil,
            body: body
        )
    }

    /// The highest number of the run that the database has; 0 when it has none.
    private static func lastStored(_ database: Database, runID: Int64) throws -> UInt64 {
        let last = try Int64.fetchOne(
            database,
            sql: """
                SELECT e.id - l.base + e.shift FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
                WHERE l.run_id = ? ORDER BY e.id DESC LIMIT 1
                """,
            arguments: [runID]
        )
        return UInt64(max(0, last ?? 0))
    }

    private static func reportedDrops(_ database: Database, runID: Int64) throws -> UInt64 {
        let sum = try Int64.fetchOne(
            database,
            sql: """
                SELECT ifnull((SELECT sum(detail ->> '$.count') FROM events WHERE run_id = ?1 AND kind = 'drop'), 0)
                    + ifnull((SELECT gone_drops FROM run WHERE run_id = ?1), 0)
                """,
            arguments: [runID]
        )
        return UInt64(max(0, sum ?? 0))
    }
}
