// What a batch's root is the hash of.

internal import Crypto
internal import Foundation
internal import GRDB

/// The parts of a root, in their order.
struct BatchRoot {
    let previous: Digest32
    /// The columns of the batch's row, from its id to its last lane.
    let numbers: [Int64?]
    let run: Digest32
    let strings: Digest32
    let lanes: Digest32
    let events: Digest32

    /// The root.
    var digest: Digest32 {
        var row = CanonicalRow()
        row.begin(.batch)
        row.append(self.previous)
        for number in self.numbers { row.append(number) }
        for part in [self.run, self.strings, self.lanes, self.events] { row.append(part) }
        return row.digest
    }
}

/// The leaf of a run: what its row says from the beginning and keeps saying.
enum RunLeaf {
    /// What a row of `run` keeps saying.
    static let columns = "run_id, run_uuid, app, host, pid, executable, version, started_at"

    static func digest(of runID: Int64, in database: Database) throws -> Digest32 {
        try self.digest(of: self.columns, runID, in: database)
    }

    /// The seal of a run that is over: the same, with its end.
    static func seal(of runID: Int64, in database: Database) throws -> String {
        try self.digest(of: "\(self.columns), ended_at, end_state", runID, in: database).text
    }

    private static func digest(of columns: String, _ runID: Int64, in database: Database) throws -> Digest32 {
        var row = CanonicalRow()
        row.begin(.run)
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT \(columns) FROM run WHERE run_id = ?",
            arguments: [runID]
        )
        return try withExtendedLifetime(rows) {
            if let stored = try rows.next() { row.append(stored, columns: 0..<stored.count) }
            return row.digest
        }
    }
}

/// The end of a chain: the last batch and its root.
struct ChainHead: Sendable, Equatable {
    let batch: Int64
    let lastID: Int64
    let root: Digest32

    /// Where the head is kept beside a database, so that a trail that was cut short shows it.
    static func path(of database: String) -> String { database + "-head" }

    /// One line: batch, last event, root.
    var line: String { "\(self.batch) \(self.lastID) \(self.root.text)\n" }

    init(batch: Int64, lastID: Int64, root: Digest32) {
        self.batch = batch
        self.lastID = lastID
        self.root = root
    }

    /// Reads the head beside a database; nil when there is none.
    init?(beside database: String) {
        guard let data = FileManager.default.contents(atPath: Self.path(of: database)) else { return nil }
        let words = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard words.count == 3, let batch = Int64(words[0]), let lastID = Int64(words[1]), words[2].count == 64 else {
            return nil
        }
        let digits = Array(words[2])
        let bytes = stride(from: 0, to: 64, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
        guard let root = Digest32(bytes) else { return nil }
        self.init(batch: batch, lastID: lastID, root: root)
    }
}
