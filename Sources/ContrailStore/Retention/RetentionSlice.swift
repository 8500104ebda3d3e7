// Drops the oldest batches of a trail, with all that follows from them, in one transaction.

internal import Foundation
internal import GRDB

/// A stretch of a trail that goes: whole batches from the oldest on, or events that are older than the first batch.
struct RetentionSlice {
    /// Why it goes.
    enum Cause: String {
        case cap
        case age
    }

    /// The number that stands for the kind `retention`.
    static let kind: Int64 = 28

    /// The events that go.
    let events: ClosedRange<Int64>
    private let batches: [StoredBatch]
    private let anchor: TrailAnchor

    /// The next slice, of about so many events; nil when nothing may go. The newest batch never goes for its size.
    ///
    /// - Parameter cutoff: Only batches whose last event is older, in UTC microseconds since 1970; nil for any.
    init?(_ database: Database, size: Int, olderThan cutoff: Int64? = nil) throws {
        self.anchor = try TrailAnchor(database) ?? TrailAnchor()
        let rows = try Row.fetchAll(database, sql: "SELECT * FROM batch ORDER BY id LIMIT 257")
        let oldest = rows.compactMap { StoredBatch($0) }
        // A row that cannot be read is for verify to report, and not for retention to step over.
        guard oldest.count == rows.count else { return nil }
        let first = try Int64.fetchOne(
            database,
            sql: "SELECT min(id) FROM event WHERE id > ?",
            arguments: [self.anchor.lastID]
        )
        guard let first else { return nil }
        if first < oldest.first?.firstID ?? .max {
            let last = min(first + Int64(size) - 1, (oldest.first?.firstID ?? .max) - 1)
            self.events = first...last
            self.batches = []
            if let cutoff, try Self.time(of: last, database) ?? .max >= cutoff { return nil }
            return
        }
        var taken: [StoredBatch] = []
        var count = 0
        let mayEmpty = cutoff != nil && rows.count < 257
        for batch in mayEmpty ? oldest[...] : oldest.dropLast() where count < size {
            if let cutoff {
                guard try Self.time(of: batch.lastID, database) ?? .max < cutoff else { break }
            }
            taken.append(batch)
            count += Int(batch.lastID - batch.firstID) + 1
        }
        // What a slice says of itself is no reason for another one.
        guard let last = taken.last, try !Self.isOwnWord(taken, database) else { return nil }
        self.events = taken[0].firstID...last.lastID
        self.batches = taken
    }

    private static func time(of id: Int64, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database,
            sql: "SELECT at FROM event WHERE id <= ? ORDER BY id DESC LIMIT 1",
            arguments: [id]
        )
    }

    private static func isOwnWord(_ batches: [StoredBatch], _ database: Database) throws -> Bool {
        guard batches.count == 1, batches[0].firstID == batches[0].lastID else { return false }
        return try Int64.fetchOne(
            database,
            sql: "SELECT kind FROM event WHERE id = ?",
            arguments: [batches[0].firstID]
        ) == Self.kind
    }

    /// Drops it. Returns what its event says of it; the caller writes that, in the same transaction.
    func drop(_ database: Database, cause: Cause, sweep: NameSweep?) throws -> String {
        let at = try Self.time(of: self.events.upperBound, database) ?? 0
        let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        let keeping = KeptEvents(database, slice: self.events, at: at)
        let released = try keeping.release()
        let kept = try keeping.keep(self.batches)
        try self.countRuns(database)
        let removed = try self.deleteRows(database) + released
        var anchor = self.anchor
        try self.move(&anchor, database)
        let names = try sweep?.finish(&anchor, database)
        anchor.kept = try KeptEvents.digest(database)
        try anchor.coverRuns(upTo: self.batches.map(\.runID).max() ?? 0, database)
        try anchor.write(database)
        let bytes = ((try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0) - free) * 4096
        try database.execute(
            sql: "UPDATE retention SET slices = slices + 1, events = events + ?, bytes = bytes + ?, last_at = ?",
            arguments: [removed, max(0, bytes), at]
        )
        var json = JSONText()
        json.begin()
        json.add("first_id", UInt64(clamping: self.events.lowerBound))
        json.add("last_id", UInt64(clamping: self.events.upperBound))
        json.add("events", UInt64(removed))
        json.add("kept", UInt64(kept))
        json.add("bytes", UInt64(max(0, bytes)))
        if let names { json.add("names", UInt64(names)) }
        json.add("cause", cause.rawValue)
        json.add("anchor", anchor.digest.text)
        if let left = try Leftover.digest(database) { json.add("left", left.text) }
        json.end()
        return String(decoding: json.bytes, as: UTF8.self)
    }

    /// Lets each run remember what a recovery of its ring would ask its events for.
    private func countRuns(_ database: Database) throws {
        try database.execute(
            sql: """
                UPDATE run SET gone_seq = max(gone_seq, g.seq), gone_drops = gone_drops + g.drops
                FROM (
                    SELECT l.run_id, max(iif(e.kind < 25, e.id - l.base + e.shift, 0)) AS seq,
                        sum(iif(e.kind = 25, e.code, 0)) AS drops
                    FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane WHERE e.id BETWEEN ? AND ? GROUP BY l.run_id
                ) AS g
                WHERE g.run_id = run.run_id
                """,
            arguments: [self.events.lowerBound, self.events.upperBound]
        )
    }

    private func deleteRows(_ database: Database) throws -> Int {
        let bounds: StatementArguments = [self.events.lowerBound, self.events.upperBound]
        try database.execute(
            sql: """
                DELETE FROM context WHERE context_id IN (
                    SELECT e.context_id FROM event AS e WHERE e.id BETWEEN ? AND ? AND +e.kind IN (3, 5) AND e.code >> 3 = 0
                        AND e.id NOT IN (SELECT event_id FROM kept))
                """,
            arguments: bounds
        )
        for table in ["problem WHERE id", "commitment WHERE event_id", "payload_salt WHERE event_id"] {
            let key = table.split(separator: " ").last ?? ""
            try database.execute(
                sql: "DELETE FROM \(table) BETWEEN ? AND ? AND \(key) NOT IN (SELECT event_id FROM kept)",
                arguments: bounds
            )
        }
        try database.execute(
            sql: "DELETE FROM event WHERE id BETWEEN ? AND ? AND id NOT IN (SELECT event_id FROM kept)",
            arguments: bounds
        )
        let count = database.changesCount
        if let last = self.batches.last {
            try database.execute(sql: "DELETE FROM batch WHERE id <= ?", arguments: [last.id])
        }
        return count
    }

    private func move(_ anchor: inout TrailAnchor, _ database: Database) throws {
        anchor.lastID = self.events.upperBound
        guard let last = self.batches.last else { return }
        anchor.batch = last.id
        anchor.root = last.root ?? .zero
        let strings = self.batches.compactMap { $0.strings?.upperBound }.max() ?? 0
        let lanes = self.batches.compactMap { $0.lanes?.upperBound }.max() ?? 0
        try anchor.extendNames(toString: strings, lane: lanes, database)
    }
}
