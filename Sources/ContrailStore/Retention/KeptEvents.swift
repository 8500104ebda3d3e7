// Which events outlive the batch that they were written in, and which of those are let go.

internal import Foundation
internal import GRDB

/// Keeps, of what a slice drops, what rows of contexts still need: the push of a context that is not over, the last value of each
/// key of its `g`, and everything of a pinned one. Kept events stay where they are, under their ids, and `kept` holds their leaves.
struct KeptEvents {
    private let database: Database
    /// The events that go.
    private let slice: ClosedRange<Int64>
    /// When the last of them happened.
    private let at: Int64

    init(_ database: Database, slice: ClosedRange<Int64>, at: Int64) {
        self.database = database
        self.slice = slice
        self.at = at
    }

    /// SQL that tells whether the context `c` of the run `r` is over before the end `?2` of the slice: popped, or never to be
    /// popped since its run ended before the time `?3`.
    private static let isOver = """
        iif(c.pop_id IS NULL, r.end_state <> 'running' AND ifnull(r.ended_at, r.started_at) <= ?3, c.pop_id <= ?2)
        """

    /// SQL that tells whether the context of `e` has a row and is not over.
    private static let goesOn = """
        EXISTS (SELECT 1 FROM context AS c JOIN run AS r ON r.run_id = c.context_id >> 32
            WHERE c.context_id = e.context_id AND NOT \(Self.isOver))
        """

    /// An event that is kept.
    private struct Kept {
        let id: Int64
        let context: Int64
        let leaf: Digest32
        /// The salt of its batch, when its payload needs it.
        let batchSalt: Digest32?
    }

    private var bounds: StatementArguments { [self.slice.lowerBound, self.slice.upperBound, self.at] }

    /// Marks the events of the slice that are kept. Returns how many. The signs before columns keep SQLite from going through
    /// all events of a kind instead of those of the slice.
    func keep(_ batches: [StoredBatch]) throws -> Int {
        let rows = try Row.fetchCursor(
            self.database,
            sql: """
                \(BatchReader.selectEvents)
                WHERE e.id BETWEEN ?1 AND ?2 AND e.context_id IS NOT NULL AND (
                    +e.context_id IN (SELECT context_id FROM pin)
                    OR (+e.kind IN (3, 5) AND e.code >> 3 = 0 AND \(Self.goesOn))
                    OR (+e.kind = 8 AND \(Self.goesOn) AND NOT EXISTS (SELECT 1 FROM event AS n
                        WHERE n.context_id = e.context_id AND n.g_key = e.g_key AND n.id > e.id AND n.id <= ?2)))
                """,
            arguments: self.bounds
        )
        var reader = BatchReader(integrity: .chained)
        var events: [Kept] = []
        while let event = try rows.next() {
            guard let id = event.integer(0), let context = event.integer(4) else { continue }
            let salt = batches.first { $0.firstID <= id && id <= $0.lastID }?.salt
            let needsSalt =
                event.hasNull(atIndex: 12) && !event.hasNull(atIndex: 11)
                && Commitment.isPayload(kind: event.integer(3) ?? 0)
            let leaf = reader.leaf(of: event, salt: salt)
            events.append(Kept(id: id, context: context, leaf: leaf, batchSalt: needsSalt ? salt : nil))
        }
        for event in events {
            if let salt = event.batchSalt {
                // The salt of the batch goes with the batch.
                try self.database.execute(
                    sql: "INSERT OR IGNORE INTO payload_salt (event_id, salt) VALUES (?, ?)",
                    arguments: [event.id, Commitment.salt(of: event.id, in: salt).data]
                )
            }
            try self.database.execute(
                sql: "INSERT INTO kept (event_id, context_id, leaf) VALUES (?, ?, ?)",
                arguments: [event.id, event.context, event.leaf.data]
            )
        }
        return events.count
    }

    /// Lets go what an earlier slice kept and nothing needs any more. Returns how many events.
    func release() throws -> Int {
        let over = try Int64.fetchAll(
            self.database,
            sql: """
                SELECT DISTINCT k.context_id FROM kept AS k LEFT JOIN context AS c ON c.context_id = k.context_id
                LEFT JOIN run AS r ON r.run_id = k.context_id >> 32
                WHERE k.event_id < ?1 AND k.context_id NOT IN (SELECT context_id FROM pin)
                    AND (c.context_id IS NULL OR \(Self.isOver))
                """,
            arguments: self.bounds
        )
        let replaced = try Int64.fetchAll(
            self.database,
            sql: """
                SELECT k.event_id FROM kept AS k CROSS JOIN event AS e ON e.id = k.event_id
                WHERE k.event_id < ?1 AND +e.kind = 8 AND k.context_id NOT IN (SELECT context_id FROM pin)
                    AND EXISTS (SELECT 1 FROM event AS n WHERE n.context_id = e.context_id AND n.g_key = e.g_key
                        AND n.id > e.id AND n.id <= ?2)
                """,
            arguments: [self.slice.lowerBound, self.slice.upperBound]
        )
        guard !over.isEmpty || !replaced.isEmpty else { return 0 }
        let contexts = Self.list(over)
        let ids = try Int64.fetchAll(
            self.database,
            sql: "SELECT event_id FROM kept WHERE context_id IN (SELECT value FROM json_each(?))",
            arguments: [contexts]
        )
        try self.delete("context WHERE context_id", contexts)
        let events = Self.list(ids + replaced)
        for table in ["problem WHERE id", "commitment WHERE event_id", "payload_salt WHERE event_id"] {
            try self.delete(table, events)
        }
        let released = try self.delete("event WHERE id", events)
        try self.delete("kept WHERE event_id", events)
        return released
    }

    @discardableResult
    private func delete(_ table: String, _ ids: String) throws -> Int {
        try self.database.execute(
            sql: "DELETE FROM \(table) IN (SELECT value FROM json_each(?))",
            arguments: [ids]
        )
        return self.database.changesCount
    }

    private static func list(_ ids: [Int64]) -> String {
        "[\(ids.map { String($0) }.joined(separator: ","))]"
    }

    /// The digest of all that is kept.
    static func digest(_ database: Database) throws -> Digest32 {
        var digest = RunningDigest()
        let rows = try Row.fetchCursor(database, sql: "SELECT event_id, leaf FROM kept ORDER BY event_id")
        var row = CanonicalRow()
        while let kept = try rows.next() {
            row.begin(.event)
            row.append(kept.integer(0))
            row.append(kept.bytes(1).flatMap { Digest32($0) } ?? .zero)
            digest.add(row.digest)
        }
        return digest.value
    }
}
