// Holds what retention left against what it said.

internal import GRDB

/// Checks everything that is older than the first batch: nothing vouches for it but the anchor, and for the anchor the last
/// slice's event.
struct AnchorCheck {
    let database: Database
    let anchor: TrailAnchor

    /// The first thing that is not as the last slice left it.
    func finding() throws -> TrailVerifier.Finding? {
        let word = try String.fetchOne(
            self.database,
            sql: """
                SELECT extra ->> '$.anchor' FROM event INDEXED BY event_by_kind_order
                WHERE kind = \(RetentionSlice.kind) AND id > ? ORDER BY id DESC LIMIT 1
                """,
            arguments: [self.anchor.lastID]
        )
        if word == nil, self.anchor == TrailAnchor() { return try self.strangerAmongEvents() }
        if word != self.anchor.digest.text {
            return self.changed("the last slice of retention left another anchor than this one")
        }
        return try self.wrongName() ?? self.wrongRun() ?? self.strangerAmongEvents() ?? self.wrongKept()
    }

    private func changed(_ message: String) -> TrailVerifier.Finding {
        .init(kind: "anchor_changed", batch: self.anchor.batch, row: nil, message: message)
    }

    private func wrongName() throws -> TrailVerifier.Finding? {
        let strings = try TrailAnchor.digest(of: .string, after: 0, upTo: self.anchor.lastString, self.database)
        let lanes = try TrailAnchor.digest(of: .lane, after: 0, upTo: self.anchor.lastLane, self.database)
        if strings == self.anchor.strings, lanes == self.anchor.lanes { return nil }
        return self.changed("a string or a lane that a dropped batch had stored is another")
    }

    private func wrongRun() throws -> TrailVerifier.Finding? {
        guard self.anchor.lastRun != 0 else { return nil }
        let sealed = try Row.fetchAll(self.database, sql: "SELECT run_id, seal FROM run WHERE seal IS NOT NULL")
        for row in sealed {
            let id = row.integer(0) ?? 0
            guard try RunLeaf.seal(of: id, in: self.database).databaseValue != row[1] else { continue }
            return .init(
                kind: "run_changed",
                batch: nil,
                row: id,
                message: "runs says something else of run \(id) than when its last batch was dropped"
            )
        }
        guard try TrailAnchor.digestOfRuns(upTo: self.anchor.lastRun, self.database) != self.anchor.runs else {
            return nil
        }
        return self.changed("a run that was there at the last slice of retention is another, or gone")
    }

    /// An event that is older than the first batch is kept, or should not be there. Without an anchor there may be events that
    /// a version before there were batches wrote.
    private func strangerAmongEvents() throws -> TrailVerifier.Finding? {
        let id = try Int64.fetchOne(
            self.database,
            sql: "SELECT min(id) FROM event WHERE id <= ? AND id NOT IN (SELECT event_id FROM kept)",
            arguments: [self.anchor.lastID]
        )
        return id.map {
            .init(kind: "row_added", batch: nil, row: $0, message: "event \($0) had been dropped and is there again")
        }
    }

    private func wrongKept() throws -> TrailVerifier.Finding? {
        guard try KeptEvents.digest(self.database) == self.anchor.kept else {
            return self.changed("an event is kept that was not, or is not kept any more")
        }
        let missing = try Int64.fetchOne(
            self.database,
            sql: "SELECT event_id FROM kept WHERE event_id NOT IN (SELECT id FROM event) LIMIT 1"
        )
        if let missing {
            return .init(kind: "row_missing", batch: nil, row: missing, message: "event \(missing) is missing")
        }
        var reader = BatchReader(integrity: .chained)
        let rows = try Row.fetchCursor(
            self.database,
            sql: """
                SELECT f.*, k.context_id, k.leaf FROM kept AS k JOIN (\(BatchReader.selectEvents)) AS f ON f.id = k.event_id
                ORDER BY k.event_id
                """
        )
        while let row = try rows.next() {
            let leaf = reader.leaf(of: row, salt: nil)
            let isSame = row.bytes(row.count - 1).flatMap { Digest32($0) } == leaf
            if !isSame || row.integer(row.count - 2) != row.integer(4) {
                let id = row.integer(0) ?? 0
                return .init(kind: "row_changed", batch: nil, row: id, message: "event \(id) was changed")
            }
        }
        return nil
    }
}
