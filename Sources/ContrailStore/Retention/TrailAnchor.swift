// What is known of a trail before the first batch that is left.

internal import Foundation
internal import GRDB

/// The row of `anchor`: where retention stands. Its digest is in the event of the slice that wrote it, and so in the chain.
struct TrailAnchor: Equatable {
    /// The last batch that was dropped, and its root.
    var batch: Int64 = 0
    var root = Digest32.zero
    /// Events up to here are gone, but for those that are kept.
    var lastID: Int64 = 0
    /// Names and lanes up to these were stored by batches that are gone.
    var lastString: Int64 = 0
    var lastLane: Int64 = 0
    /// The digests of these names and lanes, and of the events that are kept.
    var strings = Digest32.zero
    var lanes = Digest32.zero
    var kept = Digest32.zero
    /// The runs that were there, and their digest. 0 in an anchor that an older version wrote.
    var lastRun: Int64 = 0
    var runs = Digest32.zero

    init() {}

    /// Reads the row; nil when nothing was ever dropped, or when a column has not the type that it was written with.
    init?(_ database: Database) throws {
        let row = try Row.fetchOne(
            database,
            sql:
                "SELECT batch_id, last_id, last_string, last_lane, last_run, root, strings, lanes, kept, runs FROM anchor WHERE id = 1"
        )
        guard let row, let batch = row.integer(0), let lastID = row.integer(1), let lastString = row.integer(2),
            let lastLane = row.integer(3), let lastRun = row.integer(4)
        else { return nil }
        let digests = (5..<(lastRun == 0 ? 9 : 10)).map { row.bytes($0).flatMap { Digest32($0) } }
        guard let root = digests[0], let strings = digests[1], let lanes = digests[2], let kept = digests[3] else {
            return nil
        }
        (self.batch, self.lastID, self.lastString, self.lastLane) = (batch, lastID, lastString, lastLane)
        (self.root, self.strings, self.lanes, self.kept) = (root, strings, lanes, kept)
        guard lastRun != 0 else { return }
        guard let runs = digests[4] else { return nil }
        (self.lastRun, self.runs) = (lastRun, runs)
    }

    /// Writes the row.
    func write(_ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO anchor
                    (id, batch_id, root, last_id, last_string, last_lane, strings, lanes, kept, last_run, runs)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                self.batch, self.root.data, self.lastID, self.lastString, self.lastLane, self.strings.data,
                self.lanes.data, self.kept.data, self.lastRun, self.runs.data,
            ]
        )
    }

    /// What the slice's event says of it.
    var digest: Digest32 {
        var row = CanonicalRow()
        row.begin(.anchor)
        for number in [self.batch, self.lastID, self.lastString, self.lastLane] { row.append(number) }
        for digest in [self.root, self.strings, self.lanes, self.kept] { row.append(digest) }
        if self.lastRun != 0 {
            row.append(self.lastRun)
            row.append(self.runs)
        }
        return row.digest
    }
}

/// A digest to which leaves are added one by one, in whatever portions.
struct RunningDigest {
    private(set) var value: Digest32
    private var row = CanonicalRow()

    init(_ value: Digest32 = .zero) {
        self.value = value
    }

    mutating func add(_ leaf: Digest32) {
        self.row.begin(.running)
        self.row.append(self.value)
        self.row.append(leaf)
        self.value = self.row.digest
    }
}

extension TrailAnchor {
    /// Adds the leaves of the names and lanes that come to be the anchor's, in the order of their ids.
    mutating func extendNames(toString lastString: Int64, lane lastLane: Int64, _ database: Database) throws {
        self.strings = try Self.digest(
            of: .string,
            after: self.lastString,
            upTo: lastString,
            continuing: self.strings,
            database
        )
        self.lanes = try Self.digest(of: .lane, after: self.lastLane, upTo: lastLane, continuing: self.lanes, database)
        self.lastString = max(self.lastString, lastString)
        self.lastLane = max(self.lastLane, lastLane)
    }

    /// The digest of the names or lanes behind one number and up to another.
    static func digest(
        of table: CanonicalRow.Table,
        after first: Int64,
        upTo last: Int64,
        continuing value: Digest32 = .zero,
        _ database: Database
    ) throws -> Digest32 {
        guard last > first else { return value }
        var digest = RunningDigest(value)
        var leaf = CanonicalRow()
        let rows = try Row.fetchCursor(
            database,
            sql: "\(BatchReader.selectNames(of: table)) WHERE id > ? AND id <= ? ORDER BY id",
            arguments: [first, last]
        )
        while let row = try rows.next() {
            leaf.begin(table)
            leaf.append(row, columns: 0..<row.count)
            digest.add(leaf.digest)
        }
        return digest.value
    }

    /// Takes in all runs that there are, and seals those that are over and have no batch any more.
    ///
    /// - Parameter lastDropped: The highest run of which a batch has gone: later ones have all of theirs.
    mutating func coverRuns(upTo lastDropped: Int64, _ database: Database) throws {
        let ended = try Int64.fetchAll(
            database,
            sql: "SELECT run_id FROM run WHERE run_id <= ? AND seal IS NULL AND ended_at IS NOT NULL",
            arguments: [lastDropped]
        )
        for run in ended {
            let batch = try Row.fetchOne(
                database,
                sql: "SELECT 1 FROM batch WHERE run_id = ? LIMIT 1",
                arguments: [run]
            )
            guard batch == nil else { continue }
            let seal = try RunLeaf.seal(of: run, in: database)
            try database.execute(sql: "UPDATE run SET seal = ? WHERE run_id = ?", arguments: [seal, run])
        }
        self.lastRun = try Int64.fetchOne(database, sql: "SELECT max(run_id) FROM run") ?? 0
        self.runs = try Self.digestOfRuns(upTo: self.lastRun, database)
    }

    /// The digest of what stays as it is of the runs up to a number, between one slice and the next.
    static func digestOfRuns(upTo last: Int64, _ database: Database) throws -> Digest32 {
        var digest = RunningDigest()
        var leaf = CanonicalRow()
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT \(RunLeaf.columns), gone_seq, gone_drops, seal FROM run WHERE run_id <= ? ORDER BY run_id",
            arguments: [last]
        )
        while let row = try rows.next() {
            leaf.begin(.run)
            leaf.append(row, columns: 0..<row.count)
            digest.add(leaf.digest)
        }
        return digest.value
    }
}
