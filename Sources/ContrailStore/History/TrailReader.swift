// What `g` held at any moment of a run, who wrote it, and what changed between two moments.

private import Foundation
internal import GRDB

/// Reads the history of `g` from a trail, live or dead.
///
/// A moment is a number of the run (`events.seq`): what that event did is included. Each answer reads as many rows as there
/// are keys, however long the context lived. May be used from any thread.
package final class TrailReader: Sendable {
    private let queue: DatabaseQueue
    private let path: String

    /// Opens a trail for reading. Throws ``StoreError`` when it cannot be read.
    package init(path: String) throws(StoreError) {
        try TrailDatabase.checkReadable(path, schema: 6)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do { self.queue = try DatabaseQueue(path: path, configuration: configuration) } catch {
            throw StoreError(error, path: path)
        }
        self.path = path
    }

    /// All that `g` of a context held at a moment.
    package func g(of contextID: Int64, at seq: Int64) throws(StoreError) -> GMoment {
        try self.read { try self.moment($0, contextID, seq) }
    }

    /// Every value that a key of a context's `g` had, oldest first: who set it, from which number to which.
    package func versions(of contextID: Int64, key: String) throws(StoreError) -> [GVersion] {
        try self.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: "\(Self.columns) AND e.g_key = (SELECT id FROM string WHERE value = ?2) ORDER BY e.id",
                arguments: [contextID, key]
            )
            return zip(rows, rows.dropFirst().map(Optional.some) + [nil]).compactMap { row, next in
                row.integer(2) == Self.set ? GVersion(row, until: next?.integer(1)) : nil
            }
        }
    }

    /// What changed in a context's `g` after the first moment and up to the second, by key.
    package func difference(
        of contextID: Int64,
        from first: Int64,
        to second: Int64
    ) throws(StoreError) -> [GChange] {
        try self.read { database in
            let before = try self.moment(database, contextID, first).values
            let after = try self.moment(database, contextID, second).values
            return Set(before.keys).union(after.keys).sorted().compactMap { key in
                let change = GChange(key: key, before: before[key], after: after[key])
                return change.before?.fromSeq == change.after?.fromSeq ? nil : change
            }
        }
    }

    // MARK: - Rows

    /// The kind of an event that sets a key.
    private static let set: Int64 = 8

    private static let columns = """
        SELECT (SELECT value FROM string WHERE id = e.name), e.id - l.base + e.shift, e.kind, e.code, e.extra,
            (SELECT value FROM string WHERE id = e.site)
        FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane WHERE e.context_id = ?1
        """

    private func moment(_ database: Database, _ contextID: Int64, _ seq: Int64) throws -> GMoment {
        let runID = contextID >> 32
        let last = try MomentIndex(database, runID: runID).lastID(upTo: seq)
        var values: [String: GVersion] = [:]
        let select = try database.makeStatement(
            sql: "\(Self.columns) AND e.g_key = ?2 AND e.id <= ?3 ORDER BY e.id DESC LIMIT 1"
        )
        for key in try self.keys(database, contextID) {
            guard let row = try Row.fetchOne(select, arguments: [contextID, key, last]), row.integer(2) == Self.set
            else {
                continue
            }
            let version = GVersion(row, until: nil)
            values[version.key] = version
        }
        return GMoment(values: values, lost: try self.losses(database, contextID, upTo: seq))
    }

    /// The keys that a context's `g` ever had, each found by stepping over the versions of the one before.
    private func keys(_ database: Database, _ contextID: Int64) throws -> [Int64] {
        try Int64.fetchAll(
            database,
            sql: """
                WITH RECURSIVE known(key) AS (
                    SELECT min(g_key) FROM event WHERE context_id = ?1 AND g_key IS NOT NULL
                    UNION ALL
                    SELECT (SELECT min(e.g_key) FROM event AS e WHERE e.context_id = ?1 AND e.g_key > known.key)
                    FROM known WHERE known.key IS NOT NULL
                )
                SELECT key FROM known WHERE key IS NOT NULL
                """,
            arguments: [contextID]
        )
    }

    /// The ranges of numbers that were dropped between a context's push and the moment.
    private func losses(_ database: Database, _ contextID: Int64, upTo seq: Int64) throws -> [ClosedRange<Int64>] {
        let push = try Row.fetchOne(
            database,
            sql: """
                SELECT e.id - l.base + e.shift FROM context AS c CROSS JOIN event AS e ON e.id = c.push_id
                CROSS JOIN lane AS l ON l.id = e.lane WHERE c.context_id = ?
                """,
            arguments: [contextID]
        )
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT e.extra ->> '$.first_seq', e.extra ->> '$.last_seq' FROM event AS e
                CROSS JOIN lane AS l ON l.id = e.lane WHERE e.kind = 25 AND l.run_id = ? ORDER BY e.id
                """,
            arguments: [contextID >> 32]
        )
        let begin = push?.integer(0) ?? 0
        let dropped: [ClosedRange<Int64>] = rows.compactMap { row in
            guard let first = row.integer(0), let last = row.integer(1), first <= last, last >= begin, first <= seq
            else {
                return nil
            }
            return first...last
        }
        guard let gone = try self.gone(database, contextID, from: begin, upTo: seq) else { return dropped }
        return [gone] + dropped
    }

    /// The numbers of which retention may have dropped some that the moment needs. What retention keeps of a context that goes
    /// on is all that moments after it need; of one that is not there nothing is known.
    private func gone(
        _ database: Database,
        _ contextID: Int64,
        from begin: Int64,
        upTo seq: Int64
    ) throws -> ClosedRange<Int64>? {
        let isThere = begin > 0
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT ifnull((SELECT gone_seq FROM pin WHERE context_id = ?1), r.gone_seq), r.gone_drops
                FROM run AS r WHERE r.run_id = ?1 >> 32
                """,
            arguments: [contextID]
        )
        // A run of which nothing is left has no row.
        let goneSeq = try row?.integer(0) ?? TrailAnchor(database)?.lastID ?? 0
        // With a drop event went what it said of lost numbers.
        let isSure = seq >= goneSeq && row?.integer(1) == 0
        guard seq > begin, isThere ? begin < goneSeq && !isSure : goneSeq > 0 else { return nil }
        return (begin + 1)...seq
    }

    private func read<Result>(_ body: (Database) throws -> Result) throws(StoreError) -> Result {
        do { return try self.queue.read(body) } catch { throw StoreError(error, path: self.path) }
    }
}
