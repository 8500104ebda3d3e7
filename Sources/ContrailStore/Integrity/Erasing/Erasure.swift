// Takes one value out of a trail, for good, and leaves the chain as valid as it was.

internal import ContrailRecorder
private import Foundation
internal import GRDB

/// Erases what a key held: in the events that set it in `g`, in the snapshots that show it, and in what was recorded for a replay.
///
/// What stands for the payload in its event's leaf is kept, the salt it was made with is not. A tombstone, an event of the
/// kind `erase`, says how many values went under which key, and not which; and it vouches for what is left of their payloads.
/// Others may write the trail meanwhile: what they had recorded before is waited for, so that it is not committed afterwards.
/// Blocks for ten seconds at the most when they do not commit it.
package struct Erasure {
    /// What was done.
    package struct Report: Sendable, Equatable {
        /// How many payloads lost the value.
        package let erased: Int
        /// Whether the log was emptied, so that no copy of the value is left in it. False when a reader held it for
        /// the whole time: the next checkpoint that empties it does.
        package let isLogEmpty: Bool
        /// The rings of processes that have not committed, in ten seconds, what they had recorded before. The value may be
        /// in them, and come into the trail after all.
        package let waitingRings: [String]
    }

    /// How long processes get to commit what they have recorded, and how often it is looked at, in microseconds.
    private static let ringPatience: Duration = .seconds(10)
    private static let ringPause: UInt32 = 5000

    private let path: String

    /// Names the trail.
    package init(path: String) {
        self.path = path
    }

    /// Erases every value of the key that reads like the text. Throws ``StoreError``, as opening the trail for writing does.
    package func run(
        key: String,
        equals text: String,
        integrity: TrailStore.Integrity = .chained
    ) throws(StoreError) -> Report {
        try TrailDatabase.checkReadable(self.path)
        let queue = try TrailDatabase.open(path: self.path)
        defer { try? queue.close() }
        // The run records nothing of its own: the smallest ring will do.
        var configuration = TrailStore.Configuration(recorder: .init(capacity: 2))
        configuration.integrity = integrity
        let run = TrailRun(path: self.path, app: "contrail erase", configuration: configuration)
        do {
            return try StorePhase.during(.erase) { try self.run(on: queue, run, key: key, text: text, integrity) }
        } catch {
            run.abandon()
            throw StoreError(error, path: self.path)
        }
    }

    private func run(
        on queue: DatabaseQueue,
        _ run: TrailRun,
        key: String,
        text: String,
        _ integrity: TrailStore.Integrity
    ) throws -> Report {
        let runID = try run.begin(in: queue).id
        let waitingRings = self.waitForRings()
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA secure_delete = ON") }
        var erased = 0
        let at = run.clock.startMicroseconds
        var search = ValueSearch(SoughtValue(key: key, text: text))
        // Most of it without the lock, for which others would wait.
        try queue.read { try search.goOn($0) }
        try queue.inTransaction(.immediate) { database in
            try search.goOn(database)
            let replacements = try search.replacements(database)
            var range: ClosedRange<Int64>?
            for (id, text) in replacements {
                if range?.contains(id) != true { range = try self.spreadSalt(ofBatchWith: id, database) }
                try self.keepCommitment(of: id, isInChain: range != nil, database)
                try database.execute(sql: "UPDATE event SET extra = ? WHERE id = ?", arguments: [text, id])
                try Leftover.write(id, database)
            }
            erased = replacements.count
            var writer = try BatchWriter(database, runID: runID, clock: run.clock, integrity: integrity)
            let left = try Leftover.digest(database).map { #","left":"\#($0.text)""# } ?? ""
            try writer.write(30, seq: 1, at: at, name: key, json: #"{"count":\#(erased)\#(left)}"#, database)
            return .commit
        }
        try run.markClean(queue, id: runID, at: at)
        return Report(erased: erased, isLogEmpty: try self.emptyLog(queue), waitingRings: waitingRings)
    }

    /// Waits until everything is committed that was recorded before. Returns the rings of which that is not so.
    private func waitForRings() -> [String] {
        let deadline = ContinuousClock.now + Self.ringPatience
        // A ring that cannot be read, or that nobody has mapped any more, tells nothing.
        let targets = RunLiveness.ringPaths(database: self.path).compactMap { path in
            (try? RingProgress(path: path)).map { (path: path, position: $0.claimed) }
        }
        return targets.filter { path, position in
            while let progress = try? RingProgress(path: path), progress.freed < position {
                if ContinuousClock.now > deadline { return true }
                usleep(Self.ringPause)
            }
            return false
        }
        .map(\.path)
    }

    /// Keeps the salts of a batch's payloads, and destroys the one that all of them came from. Returns the batch's events; nil when
    /// the event is in no batch, or in none with a chain.
    private func spreadSalt(ofBatchWith id: Int64, _ database: Database) throws -> ClosedRange<Int64>? {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT * FROM batch WHERE first_id <= ?1 AND last_id >= ?1",
            arguments: [id]
        )
        guard let batch = row.flatMap({ StoredBatch($0) }) else { return nil }
        if let salt = batch.salt { try self.spreadSalt(salt, of: batch, database) }
        return batch.isUnchained ? nil : batch.firstID...batch.lastID
    }

    /// Keeps what stands for the payload in the leaf, the first time that something of it is erased, and destroys its salt.
    private func keepCommitment(of id: Int64, isInChain: Bool, _ database: Database) throws {
        let done = try Row.fetchOne(database, sql: "SELECT 1 FROM commitment WHERE event_id = ?", arguments: [id])
        if done != nil { return }
        let own = try Row.fetchOne(database, sql: "SELECT salt FROM payload_salt WHERE event_id = ?", arguments: [id])
        let salt = own?.bytes(0).flatMap { Digest32($0) } ?? .zero
        let kept = try Row.fetchOne(database, sql: "SELECT 1 FROM kept WHERE event_id = ?", arguments: [id])
        // Of an event that is in no chain nothing stands for the payload; that it may be changed is what counts.
        guard let payload = try Commitment.digest(ofStored: id, salt: salt, database) else { return }
        let digest = isInChain || kept != nil ? payload : .zero
        try database.execute(
            sql: "INSERT INTO commitment (event_id, digest) VALUES (?, ?)",
            arguments: [id, digest.data]
        )
        try database.execute(sql: "DELETE FROM payload_salt WHERE event_id = ?", arguments: [id])
    }

    private func spreadSalt(_ salt: Digest32, of batch: StoredBatch, _ database: Database) throws {
        let ids = try Int64.fetchAll(
            database,
            sql: "SELECT id FROM event WHERE id BETWEEN ? AND ? AND kind IN (8, 10, 22, 23, 24) AND extra IS NOT NULL",
            arguments: [batch.firstID, batch.lastID]
        )
        let insert = try database.makeStatement(
            sql: "INSERT OR IGNORE INTO payload_salt (event_id, salt) VALUES (?, ?)"
        )
        for id in ids { try insert.execute(arguments: [id, Commitment.salt(of: id, in: salt).data]) }
        try database.execute(sql: "UPDATE batch SET salt = NULL WHERE id = ?", arguments: [batch.id])
    }

    /// Gives freed pages back and moves the log into the database until none of it is left.
    private func emptyLog(_ queue: DatabaseQueue) throws -> Bool {
        try queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA incremental_vacuum")
            try database.execute(sql: "PRAGMA busy_timeout = 10000")
            let row = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            return row?.integer(0) == 0
        }
    }
}
