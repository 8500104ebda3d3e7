// Reads a trail from its first batch to its last and says whether it is as it was written.

internal import Crypto
private import Foundation
internal import GRDB

/// Holds a trail, live or dead, against its chain, and its projections against its events.
package struct TrailVerifier {
    /// What was found.
    package struct Report: Sendable, Equatable {
        /// How many batches are as they were written.
        package var batches = 0
        /// How many events of these.
        package var events = 0
        /// How many events belong to no chain: a version before it wrote them, or it was off.
        package var unchained = 0
        /// How many payloads were erased.
        package var erased = 0
        /// How many events are kept of batches that are gone.
        package var kept = 0
        /// The first thing that is wrong; nil when nothing is.
        package var finding: Finding?
    }

    /// Something that is not as it was written.
    package struct Finding: Sendable, Equatable {
        /// What kind: `row_changed`, `row_missing`, `row_added`, `batch_changed`, `batch_missing`, `truncated`,
        /// `mac_wrong`, `anchor_changed`, `run_changed`, `schema_changed`, `projection_differs` or `corrupt`.
        package let kind: String
        /// The batch, if it is about one.
        package let batch: Int64?
        /// The event, the context, or the run, if it is about one.
        package let row: Int64?
        /// What it is, in one line.
        package let message: String
    }

    private let path: String
    private let key: [UInt8]?

    /// Names the trail, and the key if it was written with one.
    package init(path: String, key: [UInt8]? = nil) {
        self.path = path
        self.key = key
    }

    /// Reads everything. Throws ``StoreError`` when the file cannot be read at all.
    package func run() throws(StoreError) -> Report {
        try TrailDatabase.checkReadable(self.path, schema: 6)
        // Before the database: what is committed after it was read is no sign of a cut.
        let head = ChainHead(beside: self.path)
        do {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            let queue = try DatabaseQueue(path: self.path, configuration: configuration)
            defer { try? queue.close() }
            return try queue.read { database in
                var report = Report()
                report.finding = try self.check(database, head: head, &report)
                return report
            }
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CORRUPT {
            var report = Report()
            let message = "SQLite cannot read the file: \(error)"
            report.finding = Finding(kind: "corrupt", batch: nil, row: nil, message: message)
            return report
        } catch {
            throw StoreError(error, path: self.path)
        }
    }

    private func check(_ database: Database, head: ChainHead?, _ report: inout Report) throws -> Finding? {
        let problem = try String.fetchOne(database, sql: "PRAGMA integrity_check(1)")
        if let problem, problem != "ok" {
            return Finding(kind: "corrupt", batch: nil, row: nil, message: "SQLite's own check: \(problem)")
        }
        // Before anything is read through it.
        if let finding = try SchemaCheck.finding(in: database) { return finding }
        return try self.checkChain(database, head: head, &report) ?? RunCheck.finding(in: database)
            ?? ProjectionCheck.finding(in: database)
    }

    private func checkChain(_ database: Database, head: ChainHead?, _ report: inout Report) throws -> Finding? {
        let anchor = try TrailAnchor(database) ?? TrailAnchor()
        var link = Link(batch: anchor.batch, root: anchor.root, lastID: anchor.batch > 0 ? anchor.lastID : nil)
        var reader = BatchReader(integrity: self.key.map { .keyed($0) } ?? .chained)
        let batches = try Row.fetchCursor(database, sql: "SELECT * FROM batch ORDER BY id")
        while let row = try batches.next() {
            guard let batch = StoredBatch(row) else {
                return Finding(
                    kind: "batch_changed",
                    batch: link.batch &+ 1,
                    row: nil,
                    message: "the row of batch \(link.batch &+ 1) cannot be read"
                )
            }
            if let finding = try reader.check(batch, after: &link, in: database, &report) { return finding }
        }
        if let head, let finding = self.compare(link, with: head) { return finding }
        return try self.checkEnds(database, link, anchor, &report)
    }

    private func compare(_ link: Link, with head: ChainHead) -> Finding? {
        let lastID = link.lastID ?? 0
        if link.batch < head.batch || (link.batch == head.batch && lastID < head.lastID) {
            return Finding(
                kind: "truncated",
                batch: head.batch,
                row: head.lastID,
                message:
                    "the trail ends with batch \(link.batch), event \(lastID), and had reached batch \(head.batch), "
                    + "event \(head.lastID)"
            )
        }
        guard link.batch == head.batch, lastID == head.lastID, link.root != head.root else { return nil }
        return Finding(
            kind: "batch_changed",
            batch: link.batch,
            row: nil,
            message: "the root of the last batch is not the one in \(ChainHead.path(of: self.path))"
        )
    }

    /// Events that no batch knows of: before the first one they are older than the chain, behind the last they were added.
    private func checkEnds(
        _ database: Database,
        _ link: Link,
        _ anchor: TrailAnchor,
        _ report: inout Report
    ) throws -> Finding? {
        report.erased = try Int.fetchOne(database, sql: "SELECT count(*) FROM commitment") ?? 0
        report.kept = try Int.fetchOne(database, sql: "SELECT count(*) FROM kept") ?? 0
        if let finding = try AnchorCheck(database: database, anchor: anchor).finding() { return finding }
        if let finding = try Leftover.finding(in: database) { return finding }
        guard let lastID = link.lastID else {
            report.unchained = try Int.fetchOne(database, sql: "SELECT count(*) FROM event") ?? 0
            return nil
        }
        report.unchained +=
            try Int.fetchOne(
                database,
                sql:
                    "SELECT count(*) FROM event WHERE id > ? AND id < (SELECT first_id FROM batch ORDER BY id LIMIT 1)",
                arguments: [anchor.lastID]
            ) ?? 0
        let added = try Int64.fetchOne(database, sql: "SELECT min(id) FROM event WHERE id > ?", arguments: [lastID])
        return added.map {
            Finding(kind: "row_added", batch: nil, row: $0, message: "event \($0) belongs to no batch")
        }
    }

    /// Where the chain has got to.
    struct Link {
        var batch: Int64
        var root: Digest32
        var lastID: Int64?
    }
}
