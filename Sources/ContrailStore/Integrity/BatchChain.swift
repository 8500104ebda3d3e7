// The chain of batches, as a writer continues it: leaves go in row by row, a root comes out at each commit.

internal import Crypto
internal import Foundation
internal import GRDB

/// Continues a trail's chain for one run. Confined to the connection's writes.
///
/// A batch grows by small commits until it has ``growthLimit`` events or another writer has begun one: its hashes are kept,
/// so that no commit reads what an earlier one wrote.
struct BatchChain {
    /// A batch with this many events is not continued by another commit.
    private static let growthLimit = 1024

    private let runID: Int64
    /// Nil when nothing is hashed.
    private let integrity: TrailStore.Integrity
    private let runLeaf: Digest32
    private let selectLast: Statement
    private let upsert: Statement

    /// The batch that is being added to, and what it was when its last commit had succeeded.
    private var open: Open?
    private var committed: Open?
    private var row = CanonicalRow()
    private var payload = CanonicalRow()

    private struct Open {
        let id: Int64
        let previous: Digest32
        let salt: Digest32
        let firstID: Int64
        let firstSeq: Int64
        var lastID: Int64
        var lastSeq: Int64
        var strings: ClosedRange<Int64>?
        var lanes: ClosedRange<Int64>?
        var stringHash = SHA256()
        var laneHash = SHA256()
        var eventHash = SHA256()
        /// Whether a payload's commitment was made with the salt. One that nothing was made with is not stored: nothing
        /// would show that it was changed.
        var usesSalt = false
        var tags: [UInt8] = []

        mutating func add(_ leaf: Digest32) {
            leaf.add(to: &self.eventHash)
            self.tags.append(UInt8(truncatingIfNeeded: leaf.tag))
            self.tags.append(UInt8(truncatingIfNeeded: leaf.tag >> 8))
        }

        mutating func addString(_ leaf: Digest32) { leaf.add(to: &self.stringHash) }

        mutating func addLane(_ leaf: Digest32) { leaf.add(to: &self.laneHash) }
    }

    init(_ database: Database, runID: Int64, integrity: TrailStore.Integrity) throws {
        self.runID = runID
        self.integrity = integrity
        self.runLeaf = try RunLeaf.digest(of: runID, in: database)
        self.selectLast = try database.makeStatement(
            sql: "SELECT id, root FROM batch ORDER BY id DESC LIMIT 1"
        )
        self.upsert = try database.makeStatement(
            sql: """
                INSERT INTO batch (id, run_id, first_id, last_id, first_seq, last_seq, first_string, last_string,
                    first_lane, last_lane, root, mac, salt, tags)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET last_id = excluded.last_id, last_seq = excluded.last_seq,
                    first_string = excluded.first_string, last_string = excluded.last_string,
                    first_lane = excluded.first_lane, last_lane = excluded.last_lane,
                    root = excluded.root, mac = excluded.mac, salt = excluded.salt, tags = excluded.tags
                """
        )
    }

    /// Begins a batch, or goes on with the last one.
    mutating func begin(_ database: Database, firstID: Int64, firstSeq: Int64) throws {
        let last = try Row.fetchOne(self.selectLast)
        if let open = self.open, last?.integer(0) == open.id, open.lastID - open.firstID < Self.growthLimit,
            open.lastID == firstID - 1, open.lastSeq < firstSeq
        {
            return
        }
        var previous = Digest32.zero
        var id: Int64 = 1
        if let last {
            id = (last.integer(0) ?? 0) + 1
            previous = last.bytes(1).flatMap { Digest32($0) } ?? .zero
        } else if let anchor = try Row.fetchOne(database, sql: "SELECT batch_id, root FROM anchor") {
            id = (anchor.integer(0) ?? 0) + 1
            previous = anchor.bytes(1).flatMap { Digest32($0) } ?? .zero
        }
        self.open = Open(
            id: id,
            previous: previous,
            salt: self.integrity.isChained ? Commitment.makeSalt() : .zero,
            firstID: firstID,
            firstSeq: firstSeq,
            lastID: firstID - 1,
            lastSeq: firstSeq - 1
        )
    }

    /// Adds the event that was put into the feed last, with what its context's row keeps of the request, if it began one.
    mutating func add(_ feed: RowFeed, seq: Int64, request: ContextRow?) {
        let cells = feed.lastRow
        let id = cells[0].value
        self.open?.lastID = id
        self.open?.lastSeq = seq
        guard self.integrity.isChained, let salt = self.open?.salt else { return }
        self.row.begin(.event)
        for index in 0..<(cells.count - 1) { self.row.append(cells[index], of: feed) }
        let extra = cells[cells.count - 1]
        if extra.type != .null, Commitment.isPayload(kind: cells[3].value) {
            self.payload.begin(.payload)
            self.payload.append(Commitment.salt(of: id, in: salt))
            self.payload.append(extra, of: feed)
            self.row.append(self.payload.digest)
            self.open?.usesSalt = true
        } else {
            self.row.append(extra, of: feed)
        }
        request?.appendRequest(to: &self.row)
        let leaf = self.row.digest
        self.open?.add(leaf)
    }

    /// Adds a string that was stored first by this batch.
    mutating func addString(_ id: Int64, _ text: String) {
        guard let open = self.open else { return }
        self.open?.strings = (open.strings?.lowerBound ?? id)...id
        guard self.integrity.isChained else { return }
        self.row.begin(.string)
        self.row.append(id)
        self.row.append(text)
        let leaf = self.row.digest
        self.open?.addString(leaf)
    }

    /// Adds a lane that was stored first by this batch.
    mutating func addLane(_ lane: LaneTable.Stored) {
        guard let open = self.open else { return }
        self.open?.lanes = (open.lanes?.lowerBound ?? lane.id)...lane.id
        guard self.integrity.isChained else { return }
        self.row.begin(.lane)
        for value in [lane.id, lane.runID, lane.base, lane.worker, lane.number, lane.thread] { self.row.append(value) }
        let leaf = self.row.digest
        self.open?.addLane(leaf)
    }

    /// Writes the batch's row. Returns the new head of the chain.
    mutating func end() throws -> ChainHead? {
        guard let open = self.open else { return nil }
        var root: Digest32?
        if self.integrity.isChained {
            root =
                BatchRoot(
                    previous: open.previous,
                    numbers: [
                        open.id, self.runID, open.firstID, open.lastID, open.firstSeq, open.lastSeq,
                        open.strings?.lowerBound, open.strings?.upperBound, open.lanes?.lowerBound,
                        open.lanes?.upperBound,
                    ],
                    run: self.runLeaf,
                    strings: Digest32(open.stringHash.finalize()),
                    lanes: Digest32(open.laneHash.finalize()),
                    events: Digest32(open.eventHash.finalize())
                )
                .digest
        }
        let arguments: [(any DatabaseValueConvertible)?] = [
            open.id, self.runID, open.firstID, open.lastID, open.firstSeq, open.lastSeq, open.strings?.lowerBound,
            open.strings?.upperBound, open.lanes?.lowerBound, open.lanes?.upperBound, root?.data,
            root.flatMap { self.integrity.mac(of: $0) }, root != nil && open.usesSalt ? open.salt.data : nil,
            root.map { _ in Data(open.tags) },
        ]
        try self.upsert.execute(arguments: StatementArguments(arguments))
        return root.map { ChainHead(batch: open.id, lastID: open.lastID, root: $0) }
    }

    /// Remembers what a commit made final.
    mutating func didCommit() {
        self.committed = self.open
    }

    /// Goes back to what the last commit made final.
    mutating func forget() {
        self.open = self.committed
    }
}

extension Digest32 {
    /// Continues a hash with this one.
    func add(to hash: inout SHA256) {
        withUnsafeBytes(of: self.words) { hash.update(bufferPointer: $0) }
    }
}
