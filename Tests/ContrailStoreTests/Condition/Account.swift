// Whether what a recorder says of its events is what the trail holds.

import ContrailRecorder
import ContrailStore
import Testing

extension TemporaryTrail {
    /// Holds the account of a trail that was closed against its rows: every number is an event or lies in a drop, and every drop
    /// says what was lost and why.
    func expectClosedAccount(_ trail: TrailStore, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let accounting = trail.recorder.accounting
        #expect(accounting.buffered == 0, sourceLocation: sourceLocation)
        #expect(
            accounting.produced == accounting.stored + accounting.dropped + accounting.torn + accounting.sampledOut,
            sourceLocation: sourceLocation
        )
        let rows = try self.integer("SELECT count(*) FROM events").map(UInt64.init)
        #expect(rows == accounting.stored, sourceLocation: sourceLocation)
        let last = try self.integer("SELECT max(seq) FROM events").map(UInt64.init)
        #expect(last == accounting.produced, sourceLocation: sourceLocation)
        let dropped = try self.integer("SELECT ifnull(sum(detail ->> '$.count'), 0) FROM events WHERE kind = 'drop'")
        #expect(dropped.map(UInt64.init) == accounting.dropped, sourceLocation: sourceLocation)
        let vague = """
            SELECT count(*) FROM events WHERE kind = 'drop' AND (detail ->> '$.cause' IS NULL
                OR ifnull(json_array_length(detail, '$.kinds'), 0) = 0
                OR detail ->> '$.last_seq' - detail ->> '$.first_seq' + 1 < detail ->> '$.count')
            """
        #expect(try self.integer(vague) == 0, sourceLocation: sourceLocation)
        let uncovered = """
            SELECT count(*) FROM (SELECT seq, lag(seq) OVER (ORDER BY seq) AS before FROM events) AS g
            WHERE g.seq > g.before + 1 AND NOT EXISTS (SELECT 1 FROM events AS d WHERE d.kind = 'drop'
                AND d.detail ->> '$.first_seq' <= g.before + 1 AND d.detail ->> '$.last_seq' >= g.seq - 1)
                AND NOT EXISTS (SELECT 1 FROM events AS d WHERE d.kind = 'drop'
                AND d.detail ->> '$.first_seq' <= g.seq - 1 AND d.detail ->> '$.last_seq' >= g.before + 1)
            """
        #expect(try self.integer(uncovered) == 0, sourceLocation: sourceLocation)
    }

    /// The causes of the drops, each once.
    func causes() throws -> Set<String> {
        Set(try self.texts("SELECT detail ->> '$.cause' FROM events WHERE kind = 'drop'").compactMap { $0 })
    }
}
