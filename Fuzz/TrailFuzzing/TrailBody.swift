// Recovers the ring that an input describes, and reads the values that it writes into a trail.

internal import ContrailRecorder
internal import ContrailStore
internal import Foundation
internal import GRDB
internal import RingFuzzing

/// What is tried with each input. One thread at a time.
///
/// The first byte of an input says which: even, the rest is a ring (see `RingImage`), which a start finds beside a trail; odd, the
/// rest are stored values, which are put in the place of others, and everything that reads a trail reads them.
///
/// @unchecked Sendable: constants, and a folder that only one thread writes.
package final class TrailBody: @unchecked Sendable {
    /// The one that a fuzzer uses.
    package static let shared = TrailBody()

    private let ring = RingBody()
    private let folder: String
    /// A trail with one run that has not ended, and one with a run that has, without a chain.
    private let running: Data
    private let ended: Data

    private var path: String { "\(self.folder)/contrail.sqlite" }

    /// Makes a folder for the trails.
    package init() {
        self.folder = "\(NSTemporaryDirectory())/fuzzed-trail-\(UUID().uuidString)"
        do {
            try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
            self.running = try Self.trail(in: self.folder, isEnded: false)
            self.ended = try Self.trail(in: self.folder, isEnded: true)
        } catch {
            fatalError("no trail can be made in \(self.folder): \(error)")
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: self.folder) }

    /// Tries one input. Stops the process when a trail is not whole afterwards that recovery wrote. Returns what it came to.
    @discardableResult
    package func run(_ input: UnsafeRawBufferPointer) -> String {
        guard let first = input.first else { return "" }
        let rest = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        do {
            return first & 1 == 0 ? try self.recover(rest) : try self.read(rest)
        } catch {
            // What it throws is what whoever calls it gets: an error, and not the end of the process.
            return "\(error)"
        }
    }

    // MARK: - Recovery

    private func recover(_ input: UnsafeRawBufferPointer) throws -> String {
        try self.put(self.running)
        guard self.ring.write(input) else { return "" }
        try Data(self.ring.path.utf8).write(to: URL(fileURLWithPath: "\(self.path)-run-run"))
        let recovered = try TrailStore.recover(path: self.path)
        let finding = try TrailVerifier(path: self.path).run().finding
        precondition(finding == nil, "the recovered trail is not whole: \(finding?.message ?? "")")
        let again = try TrailStore.recover(path: self.path)
        precondition(again.allSatisfy { $0.events == 0 }, "a ring was recovered twice")
        return "\(recovered.map { "\($0.events) \($0.torn) \($0.dropped) \($0.failure ?? "")" })"
    }

    // MARK: - Values

    /// Values of an input: the kind of an event, its code, and what it says, of any type.
    private func read(_ input: UnsafeRawBufferPointer) throws -> String {
        try self.put(self.ended)
        var input = InputBytes(input)
        var count = 0
        do {
            let queue = try DatabaseQueue(path: self.path)
            defer { try? queue.close() }
            try queue.write { database in
                let ids = try Int64.fetchAll(database, sql: "SELECT id FROM event ORDER BY id")
                while !input.isAtEnd, count < ids.count {
                    try Self.replace(ids[count], with: &input, database)
                    count += 1
                }
            }
            for view in ["events", "teardowns", "g_snapshots", "recycles", "problems", "contexts", "g_versions"] {
                _ = try? queue.read { try Row.fetchAll($0, sql: "SELECT * FROM \(view)") }
            }
        }
        let finding = try? TrailVerifier(path: self.path).run().finding
        let reader = try TrailReader(path: self.path)
        let context = Int64(1) << 32 + 1
        for seq in [0, 5, Int64.max] { _ = try? reader.g(of: context, at: seq) }
        _ = try? reader.versions(of: context, key: "key")
        _ = try? reader.difference(of: context, from: 0, to: .max)
        try? Reindex.run(self.path)
        _ = try? Erasure(path: self.path).run(key: "key", equals: "tea", integrity: .off)
        return finding?.kind ?? "whole"
    }

    private static func replace(_ id: Int64, with input: inout InputBytes, _ database: Database) throws {
        let kind = Int64(input.byte() % 33)
        let code = input.number()
        let type = input.byte()
        let bytes = input.bytes(Int(input.byte()) | Int(input.byte() & 7) << 8)
        let extra: DatabaseValue =
            switch type % 5 {
            case 0: .null
            case 1: bytes.reduce(0) { $0 << 8 | Int64($1) }.databaseValue
            case 2: Double(bitPattern: UInt64(bytes.reduce(0) { $0 << 8 | UInt64($1) })).databaseValue
            case 3: Data(bytes).databaseValue
            default: String(decoding: bytes, as: UTF8.self).databaseValue
            }
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO event (id, shift, at, kind, context_id, lane, epoch, name, site, duration_ns, code, extra)
                SELECT id, shift, at, ?2, context_id, lane, epoch, name, site, duration_ns, ?3, ?4 FROM event WHERE id = ?1
                """,
            arguments: [id, kind, code, extra]
        )
        guard type & 0x80 != 0 else { return }
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO problem (id, run_id, seq, at, kind, context_id, signature, message)
                SELECT id, 1, 1, at, 'leak', context_id, '', '' FROM event WHERE id = ?1
                """,
            arguments: [id]
        )
    }

    // MARK: - Trails

    private func put(_ trail: Data) throws {
        for suffix in ["-wal", "-shm", "-head", "-run-run"] { unlink(self.path + suffix) }
        try trail.write(to: URL(fileURLWithPath: self.path))
    }

    /// The file of a trail with a few events.
    private static func trail(in folder: String, isEnded: Bool) throws -> Data {
        let path = "\(folder)/\(isEnded ? "ended" : "running").sqlite"
        var configuration = TrailStore.Configuration(recorder: .init(level: .full, capacity: 256))
        configuration.integrity = isEnded ? .off : .chained
        let trail = try TrailStore(path: path, app: "shop", configuration: configuration)
        let head = RecordHead(context: 1, time: 7)
        let recorder = trail.recorder
        let app = recorder.app("shop")
        recorder.recordAppPush(head, depth: 1, origin: .manual, app: app, named: "shop", parent: nil, site: Site())
        for number in 0..<(isEnded ? 12 : 0) {
            recorder.recordSet(head, key: recorder.name("key"), value: .integer(Int64(number)), site: Site())
        }
        trail.close()
        let queue = try DatabaseQueue(path: path)
        if !isEnded {
            // As a process leaves it that is killed before its first commit.
            try queue.write { database in
                try database.execute(
                    sql: """
                        DELETE FROM context; DELETE FROM event; DELETE FROM batch; DELETE FROM lane;
                        UPDATE run SET run_uuid = 'run', end_state = 'running', ended_at = NULL;
                        """
                )
            }
        }
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
        try queue.close()
        return try Data(contentsOf: URL(fileURLWithPath: path))
    }
}
