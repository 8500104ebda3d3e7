// What must hold of a trail after a kill.

internal import ContrailStore
internal import Foundation
internal import GRDB

/// Looks at a trail that was recovered, and collects what is not as promised.
struct Findings {
    /// What is wrong, in words.
    private(set) var broken: [String] = []
    /// How many acknowledged values are in the trail or were dropped by retention.
    private(set) var acknowledged = 0
    /// How many acknowledged values are nowhere.
    private(set) var missing = 0
    /// How many records were begun and never finished.
    private(set) var torn = 0
    /// How many events of the recorder's own were numbered and not stored.
    private(set) var unwritten: UInt64 = 0

    /// Looks at everything but the values of the run.
    mutating func look(at path: String, recovered: [RecoveredRun], limit: Int) throws {
        for run in recovered {
            self.torn += run.torn
            self.unwritten += run.unwritten
            if let failure = run.failure { self.broken.append("the ring of run \(run.runID) was not read: \(failure)") }
            if run.dropped > 0 { self.broken.append("run \(run.runID) dropped \(run.dropped) events") }
        }
        let report = try TrailVerifier(path: path).run()
        if let finding = report.finding { self.broken.append("verify: \(finding.kind): \(finding.message)") }
        try Self.read(path) { database in
            let integrity = try String.fetchAll(database, sql: "PRAGMA integrity_check")
            if integrity != ["ok"] { self.broken.append("integrity_check: \(integrity.prefix(3))") }
            let open = try Int.fetchOne(
                database,
                sql: """
                    SELECT count(*) FROM contexts JOIN runs USING (run_id)
                    WHERE end_state <> 'running' AND outcome = 'open'
                    """
            )
            if open != 0 { self.broken.append("\(open ?? -1) contexts of ended runs are still open") }
            // Until retention removes events: the recorder's own go with what lies around them, not by their numbers.
            let gaps = try Int.fetchAll(
                database,
                sql: """
                    SELECT max(e.seq) - count(*) - sum(CASE e.kind
                        WHEN 'drop' THEN e.detail ->> '$.count'
                        WHEN 'torn' THEN (e.detail ->> '$.last_seq') - (e.detail ->> '$.first_seq') + 1 ELSE 0 END) AS gaps
                    FROM events AS e JOIN run AS r USING (run_id)
                    WHERE r.end_state <> 'running' AND NOT EXISTS (SELECT * FROM retention WHERE slices > 0) GROUP BY e.run_id HAVING gaps > 0
                    """
            )
            if !gaps.isEmpty { self.broken.append("numbers are missing that no event tells of: \(gaps)") }
            let running = try Int.fetchOne(database, sql: "SELECT count(*) FROM runs WHERE end_state = 'running'")
            if running != 0 { self.broken.append("\(running ?? -1) runs are still called running") }
        }
        let size = ["", "-wal"].reduce(0) { $0 + Self.size(of: path + $1) }
        if size > limit + limit / 20 { self.broken.append("the trail has \(size) bytes, more than 5 % above \(limit)") }
    }

    /// Looks at the values that one thread of a run recorded: none is missing but those that retention took, all from the
    /// beginning.
    mutating func look(at path: String, run uuid: String, thread: Int, acknowledged: Int) throws {
        self.acknowledged += acknowledged
        try Self.read(path) { database in
            let sql = """
                SELECT e.detail ->> '$.value' FROM events AS e JOIN runs USING (run_id)
                WHERE run_uuid = ? AND kind = 'g_set' AND name = ? ORDER BY e.id
                """
            let key = "\(Torture.key)\(thread)"
            let values = try Int.fetchAll(database, sql: sql, arguments: [uuid, key])
            let place = "thread \(thread) of run \(uuid)"
            guard let first = values.first, let last = values.last else {
                if acknowledged > 0, try Self.wasDropped(database, run: uuid) == 0 {
                    self.missing += acknowledged
                    self.broken.append("\(place): none of \(acknowledged) values is there")
                }
                return
            }
            if last < acknowledged {
                self.missing += acknowledged - last
                self.broken.append("\(place): \(acknowledged) values were acknowledged, the last there is \(last)")
            }
            if last > acknowledged + 1 { self.broken.append("\(place): \(last) is there, which was never recorded") }
            if values != Array(first..<(first + values.count)) {
                self.missing += max(0, last - first + 1 - values.count)
                self.broken.append(
                    "\(place): \(values.count) values from \(first) to \(last), with gaps or out of order"
                )
            }
            if first > 1, try Self.wasDropped(database, run: uuid) == 0 {
                self.missing += first - 1
                self.broken.append(
                    "\(place): the first \(first - 1) values are missing, and retention did not take them"
                )
            }
        }
    }

    /// How many slices retention has taken, of whichever run: it takes what is oldest in the file.
    private static func wasDropped(_ database: Database, run uuid: String) throws -> Int {
        let sql = """
            SELECT count(*) FROM events WHERE kind = 'retention' AND CAST(detail ->> '$.last_id' AS INTEGER) >=
                (SELECT coalesce(min(e.id), 0) FROM events AS e JOIN runs USING (run_id) WHERE run_uuid = ?) - 1
            """
        return try Int.fetchOne(database, sql: sql, arguments: [uuid]) ?? 0
    }

    private static func read(_ path: String, _ body: (Database) throws -> Void) throws {
        var configuration = Configuration()
        configuration.readonly = true
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        try queue.read(body)
        try queue.close()
    }

    private static func size(of path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    }
}
