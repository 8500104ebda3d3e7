// Makes the projections anew from the events.

internal import GRDB

/// Rebuilds `context` and `problem`. What a context's row alone keeps of its request stays as it is.
package enum Reindex {
    /// Rebuilds both in one transaction. Throws ``StoreError``, as opening the trail for writing does.
    package static func run(_ path: String) throws(StoreError) {
        try TrailDatabase.checkReadable(path)
        let queue = try TrailDatabase.open(path: path)
        defer { try? queue.close() }
        do {
            try queue.inTransaction(.immediate) { database in
                try self.rebuildContexts(database)
                try self.rebuildProblems(database)
                return .commit
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private static func rebuildContexts(_ database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM context WHERE NOT EXISTS
                    (SELECT 1 FROM event AS e WHERE e.context_id = context.context_id AND e.kind IN (3, 5));
                INSERT OR IGNORE INTO string (value) VALUES ('');
                INSERT INTO context (context_id, push_id, pushed_at, outcome, parent_id, method)
                SELECT e.context_id, e.id, e.at, 'open', e.extra, iif(e.kind = 5, (SELECT id FROM string WHERE value = ''), NULL)
                FROM event AS e WHERE e.kind IN (3, 5) AND e.code >> 3 = 0 AND e.context_id IS NOT NULL ORDER BY e.id DESC
                ON CONFLICT (context_id) DO UPDATE SET push_id = excluded.push_id, pushed_at = excluded.pushed_at,
                    outcome = 'open', pop_id = NULL, parent_id = excluded.parent_id,
                    method = iif((context.method IS NULL) = (excluded.method IS NULL), context.method, excluded.method);
                UPDATE context SET pop_id = e.id, outcome = \(ProjectionCheck.outcome)
                FROM event AS e WHERE e.context_id = context.context_id AND e.kind IN (4, 6) AND e.code >> 3 = 0;
                UPDATE context SET outcome = iif(r.end_state = 'crashed', 'died', 'unknown')
                FROM run AS r WHERE r.run_id = context.context_id >> 32 AND context.outcome = 'open' AND r.end_state <> 'running';
                """
        )
    }

    private static func rebuildProblems(_ database: Database) throws {
        try database.execute(sql: "DELETE FROM problem")
        let insert = try database.makeStatement(
            sql: """
                INSERT INTO problem (id, run_id, seq, at, kind, context_id, other_context_id, worker, worker_number, signature,
                    message, site, owner_site, age_ns, reader_thread)
                SELECT e.id, l.run_id, e.id - l.base + e.shift, e.at, ?2, e.context_id, iif(e.kind BETWEEN 12 AND 17, e.code, NULL),
                    l.worker, l.number, ?3, ?4, e.site, (SELECT id FROM string WHERE value = ?5), ?6, l.thread
                FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane WHERE e.id = ?1
                """
        )
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT \(RebuiltProblem.columns) FROM event AS e WHERE \(ProblemRow.isProblem)"
        )
        while let row = try rows.next() {
            let problem = RebuiltProblem(row)
            try insert.execute(
                arguments: [
                    row.integer(0), problem.kind, problem.signature, problem.message, problem.ownerSite, problem.age,
                ]
            )
        }
    }
}
