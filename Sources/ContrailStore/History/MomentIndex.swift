// Which event of the database was the last at a moment of a run.

internal import GRDB

/// Finds events by their number in a run: first the batch, then within it.
struct MomentIndex {
    private let database: Database
    private let runID: Int64

    init(_ database: Database, runID: Int64) {
        self.database = database
        self.runID = runID
    }

    /// The id of the run's last event with this number or a lower one; 0 when there is none.
    func lastID(upTo seq: Int64) throws -> Int64 {
        let batch = try Row.fetchOne(
            self.database,
            sql: """
                SELECT first_id, last_id, first_seq, last_seq FROM batch WHERE run_id = ? AND first_seq <= ?
                ORDER BY first_seq DESC LIMIT 1
                """,
            arguments: [self.runID, seq]
        )
        guard let batch, var low = batch.integer(0), var high = batch.integer(1), let lastSeq = batch.integer(3) else {
            return try self.lastIDWithoutBatch(upTo: seq)
        }
        if lastSeq <= seq { return high }
        // The first event's number is not above the one that is looked for, and the last one's is.
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if try self.seq(of: middle) <= seq { low = middle } else { high = middle }
        }
        return low
    }

    /// What a version before there were batches wrote is gone through; what retention kept is all there is before the first
    /// batch otherwise.
    private func lastIDWithoutBatch(upTo seq: Int64) throws -> Int64 {
        try Int64.fetchOne(
            self.database,
            sql: """
                SELECT e.id FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
                WHERE l.run_id = ?1 AND e.id - l.base + e.shift <= ?2 AND e.id < ifnull(
                    (SELECT first_id FROM batch WHERE run_id = ?1 ORDER BY first_seq LIMIT 1), 9223372036854775807)
                ORDER BY e.id DESC LIMIT 1
                """,
            arguments: [self.runID, seq]
        ) ?? 0
    }

    private func seq(of id: Int64) throws -> Int64 {
        try Int64.fetchOne(
            self.database,
            sql: "SELECT e.id - l.base + e.shift FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane WHERE e.id = ?",
            arguments: [id]
        ) ?? .max
    }
}
