// A small trail in a directory of its own, written with SQLite's C interface.

import ContrailMigrations
import Foundation
import GRDBSQLite

@testable import ContrailStore

/// A trail with one run, 400 contexts, 2,400 events and a secret in a private table. It removes itself.
final class QueryTrail {
    let directory: URL
    let writer: OpaquePointer
    var path: String { self.directory.appendingPathComponent("trail.sqlite").path }

    init(rows: Bool = true) throws {
        self.directory = try Self.makeDirectory()
        let path = self.directory.appendingPathComponent("trail.sqlite")
        try (rows ? Self.template : Self.emptyTemplate).get().write(to: path)
        self.writer = try Self.open(path.path)
    }

    /// The file of such a trail. Made once: migrating costs more than most of the tests do with it.
    private static let template = Result { try QueryTrail.made(rows: true) }
    private static let emptyTemplate = Result { try QueryTrail.made(rows: false) }

    private static func made(rows: Bool) throws -> Data {
        let trail = try QueryTrail(migrated: rows)
        try trail.write("PRAGMA wal_checkpoint(TRUNCATE)")
        return try Data(contentsOf: URL(fileURLWithPath: trail.path))
    }

    private init(migrated rows: Bool) throws {
        self.directory = try Self.makeDirectory()
        self.writer = try Self.open(self.directory.appendingPathComponent("trail.sqlite").path)
        try self.write("PRAGMA journal_mode = WAL")
        for migration in migrations { try self.write(migration.sql) }
        if rows { try self.addRows() }
    }

    private static func makeDirectory() throws -> URL {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent("query-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        return directory
    }

    private static func open(_ path: String) throws -> OpaquePointer {
        var writer: OpaquePointer?
        guard sqlite3_open(path, &writer) == SQLITE_OK, let writer else { throw StoreError(.inaccessible, path) }
        return writer
    }

    deinit {
        sqlite3_close_v2(self.writer)
        try? FileManager.default.removeItem(at: self.directory)
    }

    func write(_ sql: String) throws {
        guard sqlite3_exec(self.writer, sql, nil, nil, nil) == SQLITE_OK else {
            throw StoreError(.databaseFailure, String(cString: sqlite3_errmsg(self.writer)))
        }
    }

    func connection() throws -> QueryConnection {
        try QueryConnection(path: self.path)
    }

    /// The files beside the trail, without those that a reader of a WAL database may make.
    func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.directory.path)
            .filter { !$0.hasSuffix("-wal") && !$0.hasSuffix("-shm") }.sorted()
    }

    private func addRows() throws {
        try self.write(
            """
            BEGIN;
            CREATE TABLE token (id INTEGER PRIMARY KEY, secret TEXT NOT NULL);
            INSERT INTO token VALUES (1, 'swordfish'), (2, 'hunter2');
            CREATE VIEW v_leak AS SELECT secret FROM token;
            INSERT INTO string (id, value) VALUES
                (1, 'shop'), (2, 'conn'), (3, 'close_db'), (4, 'Hooks.swift:7'), (5, 'GET');
            INSERT INTO run (run_id, run_uuid, app, host, pid, executable, version, started_at, end_state)
                VALUES (1, 'a-b-c', 'shop', 'box', 4711, '/srv/shop', '1.2', 1700000000000001, 'running');
            WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 7)
            INSERT INTO lane (id, run_id, base, worker, number) SELECT i + 1, 1, 0, 2, i FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
            INSERT INTO context (context_id, push_id, pop_id, pushed_at, outcome, method, path, request_id)
                SELECT 4294967296 + i, i, 400 + i, 1700000000000000 + i, iif(i % 10 = 0, 'failed', 'ok'), 5,
                    '/orders/' || (i % 20), 'r-' || i FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
            INSERT INTO event (id, shift, at, kind, context_id, lane, name, site, duration_ns, code, extra)
                SELECT i, 0, 1700000000000000 + i,
                    CASE WHEN i % 6 = 0 THEN 7 WHEN i = 5 THEN 11 ELSE 5 END, 4294967296 + i % 400, i % 8 + 1, 3, 4, i,
                    i % 3, 'boom ' || 'a long error that makes a row as big as rows of this table may be' FROM n;
            INSERT INTO problem (run_id, seq, at, kind, context_id, signature, message, site)
                VALUES (1, 9, 1700000000000009, 'leak', 4294967297, 'leak:shop', 'left open', 4);
            COMMIT;
            """
        )
    }
}

/// The code of the error that a body throws; nil when it throws none.
func code(of body: () throws -> some Any) -> StoreError.Code? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? StoreError)?.code
    }
}
