// Holds what `runs` says of the end of a run, and of what retention removed of it, against the events.

internal import GRDB

/// The columns of a run that are written after its first batch, and so are in no leaf.
enum RunCheck {
    /// The first run whose end does not follow from its events. Of one whose batches are all gone its seal speaks. What retention
    /// removed is vouched for up to the last run that its anchor knows; a later run has lost nothing.
    static func finding(in database: Database) throws -> TrailVerifier.Finding? {
        let id = try Int64.fetchOne(
            database,
            sql: """
                SELECT r.run_id FROM run AS r
                WHERE (r.ended_at IS NULL) <> (r.end_state = 'running')
                    OR r.end_state NOT IN ('running', 'clean', 'crashed')
                    OR r.ended_at <> (SELECT e.at FROM batch AS b JOIN event AS e ON e.id = b.last_id
                        WHERE b.run_id = r.run_id ORDER BY b.id DESC LIMIT 1)
                    OR ((r.gone_seq <> 0 OR r.gone_drops <> 0 OR r.seal IS NOT NULL)
                        AND r.run_id > (SELECT ifnull(max(iif(last_run = 0, 1 << 62, last_run)), 0) FROM anchor))
                LIMIT 1
                """
        )
        return id.map {
            .init(
                kind: "run_changed",
                batch: nil,
                row: $0,
                message: "runs says another end of run \($0) than its last event"
            )
        }
    }
}
