// A directory of its own for one test's trail, and a second connection that looks at it.

import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Logging

/// A directory that goes with the test.
final class TemporaryTrail: Sendable {
    let directory: String
    var path: String { "\(self.directory)/contrail.sqlite" }

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("trail-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.directory = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    func open(
        app: String = "shop",
        capacity: Int = 4096,
        interval: Duration = .milliseconds(5),
        integrity: TrailStore.Integrity = .chained,
        retention: TrailStore.Retention = TrailStore.Retention(),
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) throws -> TrailStore {
        try TrailStore(
            path: self.path,
            app: app,
            configuration: TrailStore.Configuration(
                recorder: .init(capacity: capacity),
                durability: .group(interval),
                integrity: integrity,
                retention: retention,
                logger: logger
            )
        )
    }

    /// The same files in another directory. Nobody may have the trail open.
    func copy() throws -> TemporaryTrail {
        let copy = try TemporaryTrail()
        try FileManager.default.removeItem(atPath: copy.directory)
        try FileManager.default.copyItem(atPath: self.directory, toPath: copy.directory)
        return copy
    }

    /// Opens the trail with what the test wants otherwise. Attempts follow each other quickly.
    func open(_ change: (inout TrailStore.Configuration) -> Void) throws -> TrailStore {
        var configuration = TrailStore.Configuration(
            recorder: .init(capacity: 4096),
            durability: .group(.milliseconds(5)),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        configuration.patience.lock = .milliseconds(5)
        configuration.patience.retry = .milliseconds(20)
        change(&configuration)
        return try TrailStore(path: self.path, app: "shop", configuration: configuration)
    }

    /// An ordinary connection that may write. It waits for the drain, which has the lock now and then.
    func connection() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.busyMode = .timeout(10)
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: self.path, configuration: configuration)
    }

    /// Changes what is stored; the trigger that would refuse it is gone for a moment only.
    func change(_ sql: String) throws {
        let queue = try self.connection()
        try queue.write { database in
            let trigger = try String.fetchOne(
                database,
                sql: "SELECT sql FROM sqlite_schema WHERE name = 'event_is_append_only'"
            )
            try database.execute(sql: "DROP TRIGGER event_is_append_only; \(sql); \(trigger ?? "")")
        }
        try queue.close()
    }

    /// Reads with an ordinary connection, as the sqlite3 shell does.
    func rows(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: self.path, configuration: configuration)
        defer { try? queue.close() }
        return try queue.read { try Row.fetchAll($0, sql: sql, arguments: arguments) }
    }

    func integer(_ sql: String) throws -> Int? {
        try self.rows(sql).first?[0]
    }

    func texts(_ sql: String) throws -> [String?] {
        try self.rows(sql).map { $0[0] }
    }

    /// How many bytes the trail takes: database, log, and the rings that its runs name.
    func size(rings: [String?]) -> Int {
        ([self.path, "\(self.path)-wal"] + rings.compactMap(\.self)).reduce(0) { sum, path in
            var status = stat()
            return sum + (stat(path, &status) == 0 ? Int(status.st_size) : 0)
        }
    }

    /// Every file of the directory with its bytes.
    func contents() throws -> [String: Data] {
        try FileManager.default.contentsOfDirectory(atPath: self.directory).reduce(into: [:]) { contents, name in
            contents[name] = FileManager.default.contents(atPath: "\(self.directory)/\(name)")
        }
    }
}
