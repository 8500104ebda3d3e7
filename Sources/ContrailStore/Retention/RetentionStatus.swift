// What retention has done to a trail, and how large that is.

internal import Foundation
internal import GRDB

/// How a trail stands against its policy, read from its files.
public struct RetentionStatus: Sendable, Equatable {
    /// The cap of the last writer, in bytes; nil when it has none.
    public let cap: Int?
    /// The age of the last writer, in microseconds; nil when it has none.
    public let ageMicroseconds: Int64?
    /// How large the database's file is, in bytes.
    public let databaseBytes: Int
    /// How much of that is free to be used again.
    public let freeBytes: Int
    /// How large the file of the log is, in bytes.
    public let logBytes: Int
    /// How large the rings of the trail's runs are, in bytes, as far as this process can see them.
    public let ringBytes: Int
    /// How many events are there.
    public let events: Int
    /// When the oldest of them happened that was not kept from a batch that is gone, in UTC microseconds since 1970.
    public let oldest: Int64?
    /// How many slices were dropped since the trail was made.
    public let slices: Int
    /// How many events went with them.
    public let removedEvents: Int
    /// How many bytes of pages these left free.
    public let removedBytes: Int
    /// How many events are kept of batches that are gone, for contexts that go on or are pinned.
    public let keptEvents: Int
    /// The longest that a slice has kept a writer from writing, as of the slice before the last, in nanoseconds.
    public let longestPauseNanoseconds: Int64
    /// The contexts that are pinned.
    public let pins: [Int64]

    /// Everything together, in bytes: what the cap is for.
    public var totalBytes: Int { self.databaseBytes + self.logBytes + self.ringBytes }

    /// Reads the status of a trail, live or dead. Throws ``StoreError`` when it cannot be read, or with `olderSchema` when no
    /// writer of this version has opened it.
    public init(path: String) throws(StoreError) {
        try TrailDatabase.checkReadable(path, schema: 6)
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            defer { try? queue.close() }
            self = try queue.read { try RetentionStatus($0, path: path) }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    private init(_ database: Database, path: String) throws {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT cap, age_us, slices, events, bytes, longest_ns FROM retention"
        )
        self.cap = row?.integer(0).map { Int($0) }
        self.ageMicroseconds = row?.integer(1)
        self.slices = Int(row?.integer(2) ?? 0)
        self.removedEvents = Int(row?.integer(3) ?? 0)
        self.removedBytes = Int(row?.integer(4) ?? 0)
        self.longestPauseNanoseconds = row?.integer(5) ?? 0
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let freePages = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        let pageSize = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 0
        self.freeBytes = freePages * pageSize
        // What is in the log alone is not in the file yet, and will be.
        self.databaseBytes = pages * pageSize
        self.logBytes = Self.size(of: path + "-wal")
        self.ringBytes = RunLiveness.ringPaths(database: path).reduce(0) { $0 + Self.size(of: $1) }
        self.events = try Int.fetchOne(database, sql: "SELECT count(*) FROM event") ?? 0
        self.keptEvents = try Int.fetchOne(database, sql: "SELECT count(*) FROM kept") ?? 0
        self.oldest = try Int64.fetchOne(
            database,
            sql: "SELECT at FROM event WHERE id > ifnull((SELECT last_id FROM anchor), 0) ORDER BY id LIMIT 1"
        )
        self.pins = try Int64.fetchAll(database, sql: "SELECT context_id FROM pin ORDER BY context_id")
    }

    private static func size(of path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    }
}
