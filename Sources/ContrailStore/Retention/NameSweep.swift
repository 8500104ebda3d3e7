// Finds the names and lanes that nothing refers to any more, a portion at a time, and removes them at the end.

internal import GRDB
private import GRDBSQLite

/// Marks what the events that are left refer to. Confined to the connection's writes.
///
/// Only what was stored by batches that are gone is removed. Writers remember numbers of names: `retention.generation` tells them
/// to forget. The last portion is read in the transaction that removes, so that nothing is missed that was written meanwhile.
final class NameSweep {
    /// How many events are read at a time.
    private static let portion = 16_384

    private var names = NumberSet()
    private var lanes = NumberSet()
    /// Events up to here have been read.
    private var lastID: Int64 = 0

    /// Whether a sweep is worth it: as many events have gone since the last one as are left.
    static func isDue(_ database: Database) throws -> Bool {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT a.last_id - r.swept_id, (SELECT max(id) FROM event) - a.last_id
                FROM anchor AS a, retention AS r
                """
        )
        guard let row, let gone = row.integer(0), let left = row.integer(1) else { return false }
        return gone > 0 && gone >= left
    }

    /// Reads the next portion. Returns false when there is none.
    func advance(_ database: Database) throws -> Bool {
        try self.mark(database, limit: Self.portion) == Self.portion
    }

    /// Removes what nothing refers to, and with it the runs of which nothing is left. Returns how many names and lanes.
    func finish(_ anchor: inout TrailAnchor, _ database: Database) throws -> Int {
        _ = try self.mark(database, limit: .max)
        // Lanes first: those that stay refer to names.
        var gone: [Int64] = []
        let lastLane = try Int64.fetchOne(database, sql: "SELECT max(id) FROM lane") ?? 0
        try Self.each(database, "SELECT id, worker FROM lane") { row in
            let id = row.integer(0) ?? 0
            if id <= anchor.lastLane, id < lastLane, !self.lanes.contains(id) {
                gone.append(id)
            } else if let worker = row.integer(1) {
                self.names.insert(worker)
            }
        }
        try Self.delete(gone, from: "lane", database)
        var removed = gone.count
        gone.removeAll()
        // The highest number stays: it would be given again.
        let lastName = try Int64.fetchOne(database, sql: "SELECT max(id) FROM string") ?? 0
        try Self.each(database, "SELECT id, value = '' FROM string WHERE id <= \(anchor.lastString)") { row in
            let id = row.integer(0) ?? 0
            if id < lastName, row.integer(1) == 0, !self.names.contains(id) { gone.append(id) }
        }
        try Self.delete(gone, from: "string", database)
        removed += gone.count
        anchor.strings = try TrailAnchor.digest(of: .string, after: 0, upTo: anchor.lastString, database)
        anchor.lanes = try TrailAnchor.digest(of: .lane, after: 0, upTo: anchor.lastLane, database)
        try database.execute(
            sql: """
                UPDATE retention SET generation = generation + 1, swept_id = ?1;
                DELETE FROM run WHERE end_state <> 'running' AND run_id NOT IN (SELECT run_id FROM lane)
                    AND run_id NOT IN (SELECT run_id FROM batch) AND NOT EXISTS (SELECT 1 FROM context AS c
                        WHERE c.context_id BETWEEN run.run_id << 32 AND (run.run_id + 1 << 32) - 1);
                """,
            arguments: [anchor.lastID]
        )
        return removed
    }

    private static func delete(_ ids: [Int64], from table: String, _ database: Database) throws {
        let statement = try database.makeStatement(sql: "DELETE FROM \(table) WHERE id = ?")
        for id in ids { try statement.execute(arguments: [id]) }
    }

    private func mark(_ database: Database, limit: Int) throws -> Int {
        var count = 0
        try Self.each(
            database,
            """
            SELECT e.id, e.lane, e.name, e.site, c.method, c.endpoint, p.owner_site FROM event AS e
            LEFT JOIN context AS c ON e.kind IN (3, 5) AND c.context_id = e.context_id
            LEFT JOIN problem AS p ON e.kind BETWEEN 12 AND 17 AND p.id = e.id
            WHERE e.id > \(self.lastID) ORDER BY e.id LIMIT \(limit)
            """
        ) { row in
            self.lastID = row.integer(0) ?? self.lastID
            if let lane = row.integer(1) { self.lanes.insert(lane) }
            for column: Int32 in 2..<7 {
                if let name = row.integer(column) { self.names.insert(name) }
            }
            count += 1
        }
        return count
    }

    /// A row while it is stepped on.
    private struct SteppedRow {
        let handle: OpaquePointer

        func integer(_ column: Int32) -> Int64? {
            sqlite3_column_type(self.handle, column) == SQLITE_NULL ? nil : sqlite3_column_int64(self.handle, column)
        }
    }

    /// Reads rows without making values of them, which takes four times as long.
    private static func each(_ database: Database, _ sql: String, _ body: (SteppedRow) -> Void) throws {
        let statement = try database.makeStatement(sql: sql)
        let handle = statement.sqliteStatement
        defer { sqlite3_reset(handle) }
        while true {
            let code = sqlite3_step(handle)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
            body(SteppedRow(handle: handle))
        }
    }
}

/// A set of small positive numbers, a bit each.
private struct NumberSet {
    private var words: [UInt64] = []

    mutating func insert(_ number: Int64) {
        guard let place = Self.place(of: number) else { return }
        while place.word >= self.words.count {
            self.words.append(contentsOf: repeatElement(0, count: self.words.count + 64))
        }
        self.words[place.word] |= place.bit
    }

    /// What cannot be in it counts as being in it: it is not removed.
    func contains(_ number: Int64) -> Bool {
        guard let place = Self.place(of: number) else { return true }
        return place.word < self.words.count && self.words[place.word] & place.bit != 0
    }

    /// Nil for numbers that no table of names ever reaches; a damaged file may say anything.
    private static func place(of number: Int64) -> (word: Int, bit: UInt64)? {
        guard number >= 0, number < 1 << 28 else { return nil }
        return (Int(number >> 6), 1 << UInt64(number & 63))
    }
}
