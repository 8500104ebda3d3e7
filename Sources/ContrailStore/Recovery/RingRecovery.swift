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
        let isWhole = try self.isWhole(upTo: stored, database)
        // What has a lower number is in the database, or a drop event has said that it is not.
        var open = stored + 1
        while let finding = self.ring.next() {
            switch consume finding {
            case .event(let event):
                latest = event.monotonicNanoseconds
                open = min(open, event.seq)
                batch.append(event)
            case .torn(let record):
                open = min(open, record.firstSeq)
                torn.append(record)
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
            let isBehind = self.ring.lastSeq >= stored && missing >= report.dropped
            let first = isBehind ? stored + 1 : 1
            losses.append(self.loss(of: report.dropped, from: first, cause: .crashed, as: spare + 1, at: latest))
        } else if isWhole, header.dropped &+ header.droppedBefore == 0 {
            let unread = try torn.reduce(0) { try $0 + self.missing($1.firstSeq, $1.lastSeq, database) }
            let missing = try self.missing(open, self.ring.lastSeq, database)
            if missing > unread {
                report.unwritten = missing - unread
                losses.append(self.loss(of: report.unwritten, from: open, cause: .unwritten, as: spare + 1, at: latest))
            }
        }
        try writer.writeMissing(losses, database)
    }

    /// Says that so many events are lost, whose numbers are among those from `first` on.
    private func loss(
        of count: UInt64,
        from first: UInt64,
        cause: TrailEvent.Drop.Cause,
        as seq: UInt64,
        at time: UInt64
    ) -> TrailEvent {
        let drop = TrailEvent.Drop(count: count, firstSeq: first, lastSeq: self.ring.lastSeq, cause: cause)
        return Self.event(.drop(drop), seq: seq, at: time)
    }

    /// How many of these numbers the database does not have.
    private func missing(_ first: UInt64, _ last: UInt64, _ database: Database) throws -> UInt64 {
        guard first <= last else { return 0 }
        let written = try self.written(from: first, database) - self.written(from: last + 1, database)
        return last - first + 1 - min(written, last - first + 1)
    }

    /// How many events of the run the database has from this number on: all of them in batches, with rising numbers in each.
    private func written(from first: UInt64, _ database: Database) throws -> UInt64 {
        let from = Int64(clamping: first)
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT first_id, last_id, first_seq FROM batch WHERE run_id = ? AND last_seq >= ?",
            arguments: [self.runID, from]
        )
        var count: Int64 = 0
        for row in rows {
            let (firstID, lastID, firstSeq): (Int64, Int64, Int64) = (row[0], row[1], row[2])
            guard firstSeq < from else {
                count += lastID - firstID + 1
                continue
            }
            let numbers = try Int64.fetchCursor(
                database,
                sql: """
                    SELECT e.id - l.base + e.shift FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
                    WHERE e.id BETWEEN ? AND ? ORDER BY e.id DESC
                    """,
                arguments: [firstID, lastID]
            )
            while let number = try numbers.next(), number >= from { count += 1 }
        }
        return UInt64(max(0, count))
    }

    /// Whether the database has everything of the run that was ever stored, in batches: retention has removed nothing, its own events
    /// neither, and what the run has up to this number was not written by an earlier version.
    private func isWhole(upTo seq: UInt64, _ database: Database) throws -> Bool {
        try Bool.fetchOne(
            database,
            sql: """
                SELECT NOT EXISTS (SELECT * FROM retention WHERE slices > 0) AND (?2 = 0
                    OR EXISTS (SELECT * FROM batch WHERE run_id = ?1 AND first_seq <= ?2 AND last_seq >= ?2))
                """,
            arguments: [self.runID, Int64(clamping: seq)]
        ) ?? false
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
