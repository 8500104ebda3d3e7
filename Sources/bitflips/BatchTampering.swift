// Takes whole batches out of a trail, exchanges them, and cuts the trail short.

internal import ContrailStore
internal import Foundation
internal import GRDBSQLite

/// Changes copies of a specimen by whole batches: each one removed, each pair exchanged, each end cut off, with and without their
/// events.
package struct BatchTampering {
    private let specimen: Specimen

    /// How many copies were changed.
    package private(set) var removed = 0
    package private(set) var reordered = 0
    package private(set) var truncated = 0
    /// Changes that were not found.
    package private(set) var missed: [String] = []

    package init(_ specimen: Specimen) {
        self.specimen = specimen
    }

    /// Makes every such change, each to a copy of its own.
    package mutating func run() throws {
        let last = try self.count()
        guard last > 2 else { throw Broken("the specimen has \(last) batches: too few to exchange any") }
        for id in 1...last {
            try self.look("removed", id, "DELETE FROM batch WHERE id = \(id)")
            let events = "DELETE FROM event WHERE id BETWEEN \(Self.first(id)) AND \(Self.last(id))"
            try self.look("removed with events", id, "\(events); DELETE FROM batch WHERE id = \(id)")
            // What comes later moves up, as if there had been nothing.
            try self.look(
                "removed and closed up",
                id,
                "\(events); DELETE FROM batch WHERE id = \(id); UPDATE batch SET id = id - 1 WHERE id > \(id)"
            )
            self.removed += 3
            try self.look("cut", id, "DELETE FROM batch WHERE id >= \(id)")
            let rest = "DELETE FROM event WHERE id >= \(Self.first(id))"
            try self.look("cut with events", id, "\(rest); DELETE FROM batch WHERE id >= \(id)")
            self.truncated += 2
            for other in 1..<id {
                try self.look("exchanged with \(other)", id, Self.exchange(id, other, "id"))
                try self.look(
                    "given the root of \(other) and the other way round",
                    id,
                    Self.exchange(id, other, "root")
                )
                self.reordered += 2
            }
        }
    }

    private static func first(_ id: Int) -> String { "(SELECT first_id FROM batch WHERE id = \(id))" }

    private static func last(_ id: Int) -> String { "(SELECT last_id FROM batch WHERE id = \(id))" }

    private static func exchange(_ id: Int, _ other: Int, _ column: String) -> String {
        column == "id"
            ? "UPDATE batch SET id = -1 WHERE id = \(id); UPDATE batch SET id = \(id) WHERE id = \(other); "
                + "UPDATE batch SET id = \(other) WHERE id = -1"
            : "CREATE TEMP TABLE old AS SELECT id, root FROM batch WHERE id IN (\(id), \(other)); "
                + "UPDATE batch SET root = (SELECT root FROM old WHERE old.id <> batch.id) WHERE id IN (\(id), \(other))"
    }

    private func count() throws -> Int {
        var count = 0
        try Self.connect(self.specimen.path) { connection in
            var statement: OpaquePointer?
            defer { sqlite3_finalize(statement) }
            guard sqlite3_prepare_v2(connection, "SELECT count(*) FROM batch", -1, &statement, nil) == SQLITE_OK,
                sqlite3_step(statement) == SQLITE_ROW
            else { return SQLITE_ERROR }
            count = Int(sqlite3_column_int64(statement, 0))
            return SQLITE_OK
        }
        return count
    }

    private mutating func look(_ what: String, _ id: Int, _ sql: String) throws {
        let copy = self.specimen.path + "-copy"
        let files = FileManager.default
        for suffix in ["", "-wal", "-shm", "-head"] { try? files.removeItem(atPath: copy + suffix) }
        for suffix in ["", "-head"] { try files.copyItem(atPath: self.specimen.path + suffix, toPath: copy + suffix) }
        try Self.connect(copy) { sqlite3_exec($0, sql, nil, nil, nil) }
        let finding = try TrailVerifier(path: copy, key: self.specimen.key).run().finding
        if finding?.batch == nil, finding?.row == nil { self.missed.append("batch \(id) \(what)") }
    }

    private static func connect(_ path: String, _ body: (OpaquePointer?) -> CInt) throws {
        var connection: OpaquePointer?
        defer { sqlite3_close_v2(connection) }
        guard sqlite3_open(path, &connection) == SQLITE_OK, body(connection) == SQLITE_OK else {
            throw Broken("cannot change the copy: \(String(cString: sqlite3_errmsg(connection)))")
        }
    }
}
