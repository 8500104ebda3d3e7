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
        self.directory = FileManager.default.temporaryDirectory.appendingPathComponent("query-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        var writer: OpaquePointer?
        let path = self.directory.appendingPathComponent("trail.sqlite").path
        guard sqlite3_open(path, &writer) == SQLITE_OK, let writer else { throw StoreError(.inaccessible, path) }
        self.writer = writer
        try self.write("PRAGMA journal_mode = WAL")
        for migration in migrations { try self.write(migration.sql) }
        if rows { try self.addRows() }
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
            INSERT INTO string (id, value) VALUES (1, 'shop'), (2, 'conn'), (3, 'close_db'), (4, 'Hooks.swift:7');
            INSERT INTO run (run_id, run_uuid, app, host, pid, executable, version, started_at, end_state)
                VALUES (1, 'a-b-c', 'shop', 'box', 4711, '/srv/shop', '1.2', 1700000000000001, 'running');
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
            INSERT INTO context (context_id, run_id, kind, origin, app, worker, worker_number, pushed_at, popped_at,
                    duration_ns, outcome, method, path, request_id)
                SELECT 4294967296 + i, 1, 'request', 'http', 1, 2, i % 8, 1700000000000000 + i, 1700000000000100 + i,
                    i * 1000, iif(i % 10 = 0, 'failed', 'ok'), 'GET', '/orders/' || (i % 20), 'r-' || i FROM n;
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2400)
            INSERT INTO event (run_id, seq, at, kind, context_id, worker, worker_number, name, site, duration_ns,
                    detail)
                SELECT 1, i, 1700000000000000 + i, iif(i % 6 = 0, 7, 5), 4294967296 + i % 400, 2, i % 8, 3, 4, i,
                    '{"position":' || (i % 3) || ',"error":"boom","text":"'
                    || 'a long detail that makes a row as big as rows of this table really are' || '"}' FROM n;
            INSERT INTO problem (run_id, seq, at, kind, context_id, signature, message, site)
                VALUES (1, 9, 1700000000000009, 'leak', 4294967297, 'leak:shop', 'left open', 4);
            INSERT INTO recycle (run_id, seq, at, worker, worker_number, epoch_before, epoch_after, variables_dropped)
                VALUES (1, 10, 1700000000000010, 2, 3, 1, 2, 5);
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
