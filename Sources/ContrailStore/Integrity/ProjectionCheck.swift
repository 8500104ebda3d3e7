// Holds `context` and `problem` against the events that they are made from.

private import Foundation
internal import GRDB

/// What the projections must say.
enum ProjectionCheck {
    /// The first row that does not follow from the events.
    static func finding(in database: Database) throws -> TrailVerifier.Finding? {
        for (sql, what) in self.questions {
            if let id = try Row.fetchOne(database, sql: sql)?.integer(0) { return self.finding(id, what) }
        }
        return try self.wrongSignature(in: database)
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
            LIMIT 1
            """,
            "no event says what contexts says of this context"
        ),
        (
            """
            SELECT p.id FROM problem AS p LEFT JOIN event AS e ON e.id = p.id LEFT JOIN lane AS l ON l.id = e.lane
            WHERE e.id IS NULL OR p.run_id IS NOT l.run_id OR p.seq IS NOT e.id - l.base + e.shift OR p.at IS NOT e.at
                OR p.context_id IS NOT e.context_id OR p.site IS NOT e.site OR p.worker IS NOT l.worker
                OR p.worker_number IS NOT l.number
                OR (p.kind = 'teardown_failed') <> (e.kind = 7) OR (p.kind = 'lost') <> (\(ProblemRow.isLoss))
                OR (e.kind <> 7 AND NOT \(ProblemRow.isLoss) AND (p.kind IS NOT (SELECT name FROM event_kind WHERE id = e.kind)
                    OR p.message IS NOT e.extra ->> '$.message' OR p.other_context_id IS NOT e.code
                    OR p.age_ns IS NOT e.extra ->> '$.age_ns'))
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

    private static func wrongSignature(in database: Database) throws -> TrailVerifier.Finding? {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, kind, (SELECT value FROM string WHERE id = p.site), signature FROM problem AS p"
        )
        while let row = try rows.next() {
            let signature = ProblemRow.signature(kind: row.text(1) ?? "", site: row.text(2) ?? "")
            if row.text(3) != signature {
                return self.finding(row.integer(0) ?? 0, "problems has another signature for this one")
            }
        }
        return nil
    }
}
