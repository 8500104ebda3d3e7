// Computes a batch anew from what is stored, and finds the row that is not as it was.

internal import Crypto
private import Foundation
internal import GRDB

/// Checks batches one after another.
struct BatchReader {
    let integrity: TrailStore.Integrity
    private var row = CanonicalRow()
    private var payload = CanonicalRow()
    private var runs: [Int64: Digest32] = [:]
    /// Whether a leaf was made with the salt of its batch.
    private var usesSalt = false

    init(integrity: TrailStore.Integrity) {
        self.integrity = integrity
    }

    /// Checks the batch that comes after the link, and moves the link on. Returns what is wrong.
    mutating func check(
        _ batch: StoredBatch,
        after link: inout TrailVerifier.Link,
        in database: Database,
        _ report: inout TrailVerifier.Report
    ) throws -> TrailVerifier.Finding? {
        if let finding = self.place(of: batch, after: link) { return finding }
        if batch.isUnchained {
            link = .init(batch: batch.id, root: .zero, lastID: batch.lastID)
            report.unchained += Int(batch.lastID - batch.firstID) + 1
            return nil
        }
        let (events, wrong) = try self.events(of: batch, in: database)
        let run = try self.runs[batch.runID] ?? RunLeaf.digest(of: batch.runID, in: database)
        self.runs[batch.runID] = run
        let computed = BatchRoot(
            previous: link.root,
            numbers: batch.numbers,
            run: run,
            strings: try self.leaves(.string, batch.strings, in: database),
            lanes: try self.leaves(.lane, batch.lanes, in: database),
            events: events
        )
        .digest
        if computed != batch.root {
            return wrong
                ?? .init(
                    kind: "batch_changed",
                    batch: batch.id,
                    row: nil,
                    message:
                        "batch \(batch.id), a string, a lane or the run of it, or its place in the chain is another"
                )
        }
        if let mac = self.integrity.mac(of: computed), mac != batch.mac {
            return .init(
                kind: "mac_wrong",
                batch: batch.id,
                row: nil,
                message: "batch \(batch.id) is not signed with this key"
            )
        }
        // The root does not need the tags; one that does not fit was changed all the same. So was a salt that no payload needs,
        // and what is behind the tags of the events.
        if let wrong { return wrong }
        if batch.salt != nil && !self.usesSalt || batch.tags.count != Int(batch.lastID - batch.firstID + 1) * 2 {
            return .init(
                kind: "batch_changed",
                batch: batch.id,
                row: nil,
                message: "batch \(batch.id) has a salt that none of its payloads needs, or more tags than events"
            )
        }
        link = .init(batch: batch.id, root: computed, lastID: batch.lastID)
        report.batches += 1
        report.events += Int(batch.lastID - batch.firstID) + 1
        return nil
    }

    private func place(of batch: StoredBatch, after link: TrailVerifier.Link) -> TrailVerifier.Finding? {
        if batch.id != link.batch &+ 1 {
            return .init(
                kind: "batch_missing",
                batch: link.batch &+ 1,
                row: nil,
                message: "batch \(batch.id) comes after batch \(link.batch)"
            )
        }
        guard let before = link.lastID, batch.firstID != before &+ 1 else { return nil }
        return .init(
            kind: "batch_changed",
            batch: batch.id,
            row: batch.firstID,
            message: "batch \(batch.id) begins with event \(batch.firstID), and the one before it ends with \(before)"
        )
    }

    /// What a leaf is made of; ``leaf(of:salt:)`` reads the columns.
    static let selectEvents = """
        SELECT e.id, e.shift, e.at, e.kind, e.context_id, e.lane, e.epoch, e.name, e.site, e.duration_ns, e.code,
            e.extra, m.digest, s.salt, c.context_id, c.method, c.path, c.endpoint, c.request_id, c.trace_id
        FROM event AS e
        LEFT JOIN commitment AS m ON m.event_id = e.id
        LEFT JOIN payload_salt AS s ON s.event_id = e.id
        LEFT JOIN context AS c ON e.kind = 5 AND e.code >> 3 = 0 AND c.context_id = e.context_id
        """

    /// The columns that make the leaf of a string or a lane.
    static func selectNames(of table: CanonicalRow.Table) -> String {
        table == .string ? "SELECT id, value FROM string" : "SELECT id, run_id, base, worker, number, thread FROM lane"
    }

    /// The hash of the batch's events, and the first that is missing or has another leaf than it had.
    private mutating func events(
        of batch: StoredBatch,
        in database: Database
    ) throws -> (Digest32, TrailVerifier.Finding?) {
        var hash = SHA256()
        var expected = batch.firstID
        var wrong: TrailVerifier.Finding?
        self.usesSalt = false
        let rows = try Row.fetchCursor(
            database,
            sql: "\(Self.selectEvents) WHERE e.id BETWEEN ? AND ? ORDER BY e.id",
            arguments: [batch.firstID, batch.lastID]
        )
        while let event = try rows.next() {
            let id = event.integer(0) ?? 0
            if id != expected, wrong == nil { wrong = Self.missing(expected, batch) }
            let leaf = self.leaf(of: event, salt: batch.salt)
            let place = Int(id - batch.firstID) * 2
            let tag = [UInt8(truncatingIfNeeded: leaf.tag), UInt8(truncatingIfNeeded: leaf.tag >> 8)]
            if wrong == nil, !batch.tags.dropFirst(place).prefix(2).elementsEqual(tag) {
                wrong = .init(kind: "row_changed", batch: batch.id, row: id, message: "event \(id) was changed")
            }
            leaf.add(to: &hash)
            expected = id + 1
        }
        if expected <= batch.lastID, wrong == nil { wrong = Self.missing(expected, batch) }
        return (Digest32(hash.finalize()), wrong)
    }

    private static func missing(_ id: Int64, _ batch: StoredBatch) -> TrailVerifier.Finding {
        .init(kind: "row_missing", batch: batch.id, row: id, message: "event \(id) is missing")
    }

    /// The leaf of an event, with the salt of its batch.
    mutating func leaf(of event: Row, salt: Digest32?) -> Digest32 {
        let id = event.integer(0) ?? 0
        self.row.begin(.event)
        self.row.append(event, columns: 0..<11)
        if let stored = event.bytes(12).flatMap({ Digest32($0) }) {
            self.row.append(stored)
        } else if Commitment.isPayload(kind: event.integer(3) ?? 0), !event.hasNull(atIndex: 11) {
            var own = event.bytes(13).flatMap { Digest32($0) }
            if own == nil, let salt {
                own = Commitment.salt(of: id, in: salt)
                self.usesSalt = true
            }
            self.row.append(Commitment.digest(of: event, column: 11, salt: own ?? .zero, &self.payload))
        } else {
            self.row.append(event, columns: 11..<12)
        }
        if !event.hasNull(atIndex: 14) { self.row.append(event, columns: 15..<20) }
        return self.row.digest
    }

    /// The hash of the strings or lanes that a batch was the first to store.
    private mutating func leaves(
        _ table: CanonicalRow.Table,
        _ range: ClosedRange<Int64>?,
        in database: Database
    ) throws -> Digest32 {
        var hash = SHA256()
        if let range {
            let rows = try Row.fetchCursor(
                database,
                sql: "\(Self.selectNames(of: table)) WHERE id BETWEEN ? AND ? ORDER BY id",
                arguments: [range.lowerBound, range.upperBound]
            )
            while let stored = try rows.next() {
                self.row.begin(table)
                self.row.append(stored, columns: 0..<stored.count)
                self.row.digest.add(to: &hash)
            }
        }
        return Digest32(hash.finalize())
    }
}
