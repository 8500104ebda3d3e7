// Holds `context` and `problem` against the events that they are made from.

internal import GRDB

/// What the projections must say.
enum ProjectionCheck {
    /// The first row that does not follow from the events.
    static func finding(in database: Database) throws -> TrailVerifier.Finding? {
        for (sql, what) in self.questions {
            if let id = try Row.fetchOne(database, sql: sql)?.integer(0) { return self.finding(id, what) }
        }
        return try self.wrongProblem(in: database)
    }

    private static func finding(_ id: Int64, _ what: String) -> TrailVerifier.Finding {
        let message = "\(what): \(id); contrail reindex makes it anew"
        return .init(kind: "projection_differs", batch: nil, row: id, message: message)
    }

    /// The outcome of a pop, from its code.
    static let outcome = """
        CASE e.code & 7 WHEN 1 THEN 'ok' WHEN 2 THEN 'handled' WHEN 3 THEN 'failed' WHEN 4 THEN 'aborted' WHEN 5 THEN 'leaked' END
        """

    private static let questions = [
        (
            """
            SELECT e.context_id FROM event AS e LEFT JOIN context AS c ON c.context_id = e.context_id
            WHERE e.kind IN (3, 5) AND e.code >> 3 = 0 AND e.context_id IS NOT NULL
                AND (c.push_id IS NOT e.id OR c.pushed_at IS NOT e.at OR c.parent_id IS NOT e.extra
                    OR (c.method IS NULL) <> (e.kind = 3))
            LIMIT 1
            """,
            "contexts does not have the push of this context"
        ),
        (
            """
            SELECT e.context_id FROM event AS e JOIN context AS c ON c.context_id = e.context_id
            WHERE e.kind IN (4, 6) AND e.code >> 3 = 0 AND (c.pop_id IS NOT e.id OR c.outcome IS NOT \(Self.outcome))
            LIMIT 1
            """,
            "contexts does not have the pop of this context"
        ),
        (
            """
            SELECT c.context_id FROM context AS c
            LEFT JOIN event AS p ON p.id = c.push_id AND p.context_id = c.context_id AND p.kind IN (3, 5)
            LEFT JOIN event AS q ON q.id = c.pop_id AND q.context_id = c.context_id AND q.kind IN (4, 6)
            LEFT JOIN run AS r ON r.run_id = c.context_id >> 32
            WHERE p.id IS NULL OR (c.pop_id IS NOT NULL AND q.id IS NULL)
                OR (c.pop_id IS NULL AND c.outcome IS NOT
                    CASE r.end_state WHEN 'running' THEN 'open' WHEN 'crashed' THEN 'died' ELSE 'unknown' END)
                OR (c.method IS NULL AND NOT (c.path IS NULL AND c.endpoint IS NULL AND c.request_id IS NULL
                    AND c.trace_id IS NULL))
            LIMIT 1
            """,
            "no event says what contexts says of this context"
        ),
        (
            """
            SELECT p.id FROM problem AS p LEFT JOIN event AS e ON e.id = p.id LEFT JOIN lane AS l ON l.id = e.lane
            WHERE e.id IS NULL OR p.run_id IS NOT l.run_id OR p.seq IS NOT e.id - l.base + e.shift OR p.at IS NOT e.at
                OR p.context_id IS NOT e.context_id OR p.site IS NOT e.site OR p.worker IS NOT l.worker
                OR p.worker_number IS NOT l.number OR NOT \(ProblemRow.isProblem)
                OR p.other_context_id IS NOT iif(e.kind BETWEEN 12 AND 17, e.code, NULL)
                OR (p.reader_thread IS NOT l.thread AND NOT (p.reader_thread IS NULL
                    AND p.id < ifnull((SELECT min(first_id) FROM batch), p.id + 1)))
            LIMIT 1
            """,
            "no event says what problems says of this one"
        ),
        (
            """
            SELECT e.id FROM event AS e LEFT JOIN problem AS p ON p.id = e.id
            WHERE p.id IS NULL AND \(ProblemRow.isProblem) LIMIT 1
            """,
            "problems lacks this event"
        ),
    ]

    /// What an event says in words is compared with what its row would be if it were made anew.
    private static func wrongProblem(in database: Database) throws -> TrailVerifier.Finding? {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT \(RebuiltProblem.columns), p.kind, p.message, p.signature, p.age_ns, p.owner_site,
                    (SELECT value FROM string WHERE id = p.owner_site)
                FROM problem AS p CROSS JOIN event AS e ON e.id = p.id
                """
        )
        while let row = try rows.next() {
            let problem = RebuiltProblem(row)
            if row.text(6) != problem.kind || row.text(7) != problem.message || row.text(8) != problem.signature
                || row.integer(9) != problem.age || row.hasNull(atIndex: 10) != (problem.ownerSite == nil)
                || row.text(11) != problem.ownerSite
            {
                return self.finding(row.integer(0) ?? 0, "no event says in these words what problems says of this one")
            }
        }
        return nil
    }
}
