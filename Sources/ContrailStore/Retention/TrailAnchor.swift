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

    init() {}

    /// Reads the row; nil when nothing was ever dropped, or when a column has not the type that it was written with.
    init?(_ database: Database) throws {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT batch_id, last_id, last_string, last_lane, root, strings, lanes, kept FROM anchor"
        )
        guard let row, let batch = row.integer(0), let lastID = row.integer(1), let lastString = row.integer(2),
            let lastLane = row.integer(3)
        else { return nil }
        let digests = (4..<8).compactMap { row.bytes($0).flatMap { Digest32($0) } }
        guard digests.count == 4 else { return nil }
        (self.batch, self.lastID, self.lastString, self.lastLane) = (batch, lastID, lastString, lastLane)
        (self.root, self.strings, self.lanes, self.kept) = (digests[0], digests[1], digests[2], digests[3])
    }

    /// Writes the row.
    func write(_ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO anchor (id, batch_id, root, last_id, last_string, last_lane, strings, lanes, kept)
                VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                self.batch, self.root.data, self.lastID, self.lastString, self.lastLane, self.strings.data,
                self.lanes.data,
                self.kept.data,
            ]
        )
    }

    /// What the slice's event says of it.
    var digest: Digest32 {
        var row = CanonicalRow()
        row.begin(.anchor)
        for number in [self.batch, self.lastID, self.lastString, self.lastLane] { row.append(number) }
        for digest in [self.root, self.strings, self.lanes, self.kept] { row.append(digest) }
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
}
