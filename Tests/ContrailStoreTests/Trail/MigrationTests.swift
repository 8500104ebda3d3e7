// A trail of the third version, with every kind of event, says the same after it was migrated.

import ContrailMigrations
import ContrailStore
import GRDB
import Testing

@Suite("Migrations")
struct MigrationTests {
    private static let rows = """
        PRAGMA application_id = \(0x4354_524C);
        PRAGMA user_version = 3;
        INSERT INTO string (id, value) VALUES (1, 'conn:'), (2, 'Shop/A.swift:9'), (3, 'shop'), (4, 'key'), (5, '/a/{id}');
        INSERT INTO run (run_id, run_uuid, app, host, pid, executable, version, started_at, ended_at, end_state)
            VALUES (1, 'a-b', 'shop', 'box', 1, 'shop', '1', 1, 2, 'clean'), (2, 'c-d', 'shop', 'box', 1, 'shop', '1', 1, 2, 'crashed');
        INSERT INTO context VALUES
            (4294967297, 1, 'app', 'test', 3, NULL, 1, 7, 1, 12, 90, 70, 'failed', 'boom "x"', 2, 2, NULL, NULL, NULL, NULL, NULL),
            (4294967298, 1, 'request', 'http', 3, 4294967297, 1, 7, 1, 13, 80, 60, 'handled', NULL, 2, 2, 'GET', '/a/1', 5, 'r', 't'),
            (8589934593, 2, 'app', 'manual', 3, NULL, NULL, NULL, NULL, 20, NULL, NULL, 'died', NULL, 2, NULL, NULL, NULL, NULL,
                NULL, NULL);
        INSERT INTO event (id, run_id, seq, at, kind, context_id, other_id, worker, worker_number, thread, epoch, name, site,
                duration_ns, outcome, detail) VALUES
            (1, 1, 1, 11, 1, NULL, NULL, NULL, NULL, 5, NULL, NULL, NULL, NULL, NULL, NULL),
            (2, 1, 2, 12, 3, 4294967297, NULL, 1, 7, 5, 1, 3, 2, NULL, NULL, '{"origin":"test","depth":2}'),
            (3, 1, 3, 13, 5, 4294967298, 4294967297, 1, 7, 6, 1, 3, 2, NULL, NULL,
                '{"origin":"http","method":"GET","path":"/a/1","endpoint":"/a/{id}","request_id":"r","trace_id":"t"}'),
            (4, 1, 4, 14, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":-7}'),
            (5, 1, 5, 15, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":"a\\"b"}'),
            (6, 1, 6, 16, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":null}'),
            (7, 1, 7, 17, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":false}'),
            (8, 1, 8, 18, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":0.1}'),
            (9, 1, 9, 19, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":{"type":"[Int]","size":3}}'),
            (10, 1, 10, 20, 8, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, '{"value":{"redacted":true}}'),
            (11, 1, 12, 21, 9, 4294967297, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, NULL),
            (12, 2, 1, 20, 3, 8589934593, NULL, NULL, NULL, NULL, NULL, 3, 2, NULL, NULL, NULL),
            (13, 1, 13, 30, 10, 4294967298, NULL, 1, 7, 5, 1, 4, NULL, NULL, NULL, NULL),
            (14, 1, 14, 31, 7, 4294967298, NULL, 1, 7, 5, 1, 4, 2, 55, NULL, '{"position":1,"error":"it broke"}'),
            (15, 1, 15, 32, 7, 4294967298, NULL, 1, 7, 5, 1, 4, 2, 56, NULL, '{"position":2}'),
            (16, 1, 16, 80, 6, 4294967298, NULL, 1, 7, 5, 1, NULL, 2, 60, 'handled', NULL),
            (17, 1, 17, 90, 4, 4294967297, NULL, 1, 7, 5, 1, NULL, 2, 70, 'failed', '{"remaining":1,"error":"boom \\"x\\""}'),
            (18, 1, 18, 91, 11, NULL, NULL, 1, 7, 5, 2, NULL, NULL, NULL, NULL, '{"before":1,"dropped":4}'),
            (19, 1, 19, 92, 11, NULL, NULL, 1, 7, 5, 3, NULL, NULL, NULL, NULL, '{"dropped":0}'),
            (20, 1, 20, 93, 14, 4294967297, 4294967298, 1, 7, 5, 1, NULL, 2, NULL, NULL, '{"message":"no","age_ns":4}'),
            (21, 1, 21, 94, 18, NULL, NULL, 1, 7, 5, 1, 4, NULL, NULL, NULL, '{"error":"e"}'),
            (22, 1, 22, 95, 25, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
                '{"count":3,"first_seq":9,"last_seq":11}'),
            (23, 1, 23, 96, 20, NULL, NULL, 1, 7, 5, 1, 4, 2, NULL, NULL, NULL);
        INSERT INTO g_snapshot VALUES (13, '{"key":1}', 1);
        INSERT INTO recycle VALUES (18, 1, 18, 91, 1, 7, 1, 2, 4), (19, 1, 19, 92, 1, 7, NULL, 3, 0);
        INSERT INTO problem (id, run_id, seq, at, kind, context_id, other_context_id, worker, worker_number, signature, message,
            site, age_ns, reader_thread) VALUES (20, 1, 20, 93, 'rejected_pop', 4294967297, 4294967298, 1, 7, 'x', 'no', 2, 4, 5);
        """

    @Test(
        "every row of every published name reads as before",
        arguments: publishedColumns.keys.filter { $0 != "g_versions" }
    )
    func sameRows(of name: String) throws {
        let directory = try TemporaryTrail()
        var migrator = DatabaseMigrator()
        for migration in migrations.prefix(3) {
            migrator.registerMigration(migration.identifier) { try $0.execute(sql: migration.sql) }
        }
        let queue = try directory.connection()
        try migrator.migrate(queue)
        try queue.writeWithoutTransaction { try $0.execute(sql: Self.rows) }
        try queue.close()
        let ask = "SELECT * FROM \(name) WHERE run_id < 3 ORDER BY 1"
        let before = try directory.rows(ask).map(\.description)
        try directory.open().close()
        #expect(!before.isEmpty)
        #expect(try directory.rows(ask).map(\.description) == before)
        #expect(try directory.integer("PRAGMA user_version") == migrations.count)
    }
}
