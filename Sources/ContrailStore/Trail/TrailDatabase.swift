// The trail's database file: opened, checked and migrated.

private import ContrailMigrations
private import Foundation
internal import GRDB

/// Opens a trail for writing, and refuses what is not one without changing a byte of it.
package enum TrailDatabase {
    /// Marks the file as a trail: `CTRL` in ASCII.
    static let applicationID: Int32 = 0x4354_524C

    /// Opens the file, creating or migrating it if need be.
    static func open(path: String) throws(StoreError) -> DatabaseQueue {
        do {
            return try self.connect(path: path, lockPatience: Patience().opening)
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// The same with the error as it came, for those who act by its cause. A failure to open has the number of the system's
    /// call with it.
    static func connect(path: String, lockPatience: Duration) throws -> DatabaseQueue {
        try self.checkDirectory(of: path)
        if let size = self.size(of: path), size > 0 { try self.checkExisting(path) }
        let queue: DatabaseQueue
        do {
            queue = try DatabaseQueue(path: path, configuration: self.configuration(lockPatience))
        } catch {
            throw StorageFailure(error: error, number: errno)
        }
        try queue.reportingNumbers { try self.migrate(queue) }
        return queue
    }

    /// Applies what is missing. Two processes that make the trail at the same time both find it missing; the one that comes
    /// second to a migration fails in it, undoes it, and finds it done when it looks again.
    private static func migrate(_ queue: DatabaseQueue) throws {
        for _ in migrations {
            do { return try self.migrator.migrate(queue) } catch let error as DatabaseError {
                guard error.resultCode == .SQLITE_ERROR || error.resultCode == .SQLITE_CONSTRAINT else { throw error }
            }
        }
        try self.migrator.migrate(queue)
    }

    private static func configuration(_ lockPatience: Duration) -> Configuration {
        var configuration = Configuration()
        configuration.label = "contrail.trail"
        configuration.busyMode = .timeout(lockPatience.seconds)
        configuration.journalMode = .wal
        configuration.prepareDatabase { database in
            // Both only take effect before the first page is written; on an existing file they change nothing.
            try database.execute(sql: "PRAGMA page_size = 4096")
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            try database.execute(sql: self.cacheSize(cap: 0))
            // The log is cut back to this after a checkpoint that had to let it grow: longer than it usually is.
            try database.execute(sql: "PRAGMA journal_size_limit = \(self.cacheBytes(cap: nil) * 2)")
        }
        return configuration
    }

    /// How much a connection that writes keeps in memory, in bytes. It holds the pages that rows go to next: of an index on
    /// paths there is one for each path, and when they do not fit the drain slows down while the trail grows.
    ///
    /// - Parameter cap: The most that the trail may take, in bytes; nil for no limit. A 64th of it, from 16 to 64 MiB.
    static func cacheBytes(cap: Int?) -> Int { min(max((cap ?? .max) / 64, 16 << 20), 64 << 20) }

    /// What gives a connection its cache.
    static func cacheSize(cap: Int?) -> String { "PRAGMA cache_size = -\(self.cacheBytes(cap: cap) >> 10)" }

    private static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (index, migration) in migrations.enumerated() {
            migrator.registerMigration(migration.identifier) { database in
                try database.execute(sql: migration.sql)
                try database.execute(sql: "PRAGMA application_id = \(self.applicationID)")
                try database.execute(sql: "PRAGMA user_version = \(index + 1)")
            }
        }
        return migrator
    }

    // MARK: - Checks that change nothing

    private static func checkDirectory(of path: String) throws(StoreError) {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory), isDirectory.boolValue else {
            throw StoreError(.inaccessible, "the directory \(directory) does not exist: create it, or use another")
        }
        guard FileManager.default.isWritableFile(atPath: directory) else {
            throw StoreError(.inaccessible, "the directory \(directory) is not writable: change its owner or mode")
        }
        if FileManager.default.fileExists(atPath: path) { try self.checkKind(of: path) }
        if FileManager.default.fileExists(atPath: path), !FileManager.default.isWritableFile(atPath: path) {
            throw StoreError(.inaccessible, "\(path) is not writable: change its owner or mode")
        }
    }

    /// Refuses a file that is missing, is no trail, or is one of a newer schema, or of an older one than is asked for. For those
    /// who only read.
    package static func checkReadable(_ path: String, schema: Int = 0) throws(StoreError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw StoreError(.inaccessible, "\(path) does not exist: name the trail's database file")
        }
        try self.checkKind(of: path)
        let found = try self.checkExisting(path)
        guard found >= schema else {
            throw StoreError(
                .olderSchema,
                "\(path) has schema \(found) and this needs \(schema): open it once with a service of this version"
            )
        }
    }

    /// Takes away the empty log and the index that reading leaves beside a trail which nobody has open. Closing the last
    /// connection does that, if it may write; another connection, here or elsewhere, keeps both.
    package static func removeIdleIndex(of path: String) {
        let queue = try? DatabaseQueue(path: path)
        try? queue?.read { _ = try Int.fetchOne($0, sql: "SELECT count(*) FROM sqlite_schema") }
        try? queue?.close()
    }

    /// Refuses what is no regular file: a directory holds no database, and a pipe would be waited for.
    private static func checkKind(of path: String) throws(StoreError) {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        let type = (try? FileManager.default.attributesOfItem(atPath: resolved))?[.type] as? FileAttributeType
        if type == .typeDirectory { throw StoreError(.inaccessible, "\(path) is a directory: name a file in it") }
        guard type == .typeRegular else {
            throw StoreError(.inaccessible, "\(path) is not a regular file: name another")
        }
    }

    private static func size(of path: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int
    }

    /// Reads who wrote the file, and returns its schema. A file with a write-ahead log must be opened, for its header may be in
    /// the log.
    @discardableResult
    private static func checkExisting(_ path: String) throws(StoreError) -> Int {
        let header = (self.size(of: path + "-wal") ?? 0) > 0 ? try self.openedHeader(path) : try TrailHeader(file: path)
        if header.isBegun, header.applicationID == 0 { return 0 }
        guard header.applicationID == self.applicationID else {
            throw StoreError(.notATrail, "\(path) is an SQLite database but not a trail: name another file")
        }
        guard header.schemaVersion <= migrations.count else {
            throw StoreError(
                .newerSchema,
                "\(path) has schema \(header.schemaVersion) and this program knows \(migrations.count): upgrade the program, "
                    + "or name another file"
            )
        }
        return header.schemaVersion
    }

    private static func openedHeader(_ path: String) throws(StoreError) -> TrailHeader {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            return try queue.read { database in
                TrailHeader(
                    applicationID: try Int32.fetchOne(database, sql: "PRAGMA application_id") ?? 0,
                    schemaVersion: try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0,
                    isBegun: try Int.fetchOne(
                        database,
                        sql: "SELECT count(*) FROM sqlite_schema WHERE tbl_name <> 'grdb_migrations'"
                    ) == 0
                )
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }
}

extension StoreError {
    /// What SQLite or GRDB reported about a file, as an error of this module.
    init(_ error: any Error, path: String) {
        if let error = error as? StoreError {
            self = error
            return
        }
        if let error = error as? OverCap {
            self.init(.overCap, "\(path): \(error)")
            return
        }
        if let failure = error as? StorageFailure {
            self.init(failure.error, path: path)
            return
        }
        if let failure = error as? SystemFailure {
            self.init(.inaccessible, failure.message)
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.databaseFailure, "\(path): \(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_CORRUPT:
            self.init(.damaged, "\(path) is damaged: a service that writes it sets it aside and begins a new one")
        case .SQLITE_NOTADB:
            self.init(.notADatabase, "\(path) is not an SQLite database: name another file, or move this one away")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
            self.init(.inaccessible, "\(path) cannot be opened for writing: check its owner and mode")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(.locked, "\(path) is locked by another process: wait for it, or stop it")
        default:
            self.init(.databaseFailure, "\(path): \(error.message ?? error.description)")
        }
    }
}
