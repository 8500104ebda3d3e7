// Trails whose bytes are damaged: they are kept under another name, and a new one is begun.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import ProcessSupport
import Testing

@Suite("A trail that is damaged", .timeLimit(.minutes(5)))
struct DamagedTrailTests {
    /// Overwrites a part of a file.
    private static func damage(_ path: String, from offset: Int, count: Int? = nil) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        let end = Int(try file.seekToEnd())
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(repeating: 0xA5, count: count ?? end - offset))
    }

    @Test(
        "Garbage in the header: a start sets the file aside as it is, says so, and begins a new trail",
        arguments: [true, false]
    )
    func header(isChained: Bool) async throws {
        let directory = try TemporaryTrail()
        let first = try directory.open { $0.integrity = isChained ? .chained : .off }
        withAppContext(App("shop", recorder: first.recorder)) { _ in }
        first.close()
        try Self.damage(directory.path, from: 0, count: 100)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: directory.path))
        let log = LineLog()
        let trail = try directory.open { $0.logger = log.logger }
        let name = try #require(trail.status.setAside.first)
        #expect(trail.status.setAside.count == 1)
        #expect(try Data(contentsOf: URL(fileURLWithPath: name)) == bytes)
        #expect(log.count(name) == 1)
        withAppContext(App("shop", recorder: trail.recorder)) { _ in }
        await trail.flush()
        #expect(trail.status.degradation == nil)
        trail.close()
        try directory.expectClosedAccount(trail)
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean"])
        let note = try directory.texts(
            "SELECT detail ->> '$.error' FROM events WHERE kind = 'error' AND name = 'trail'"
        )
        #expect(note.count == 1 && note[0]?.contains(name) == true)
        #expect(try TrailVerifier(path: directory.path).run().finding?.message == nil)
    }

    @Test("A damaged page that a start finds")
    func pages() async throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        try Self.damage(directory.path, from: 4096)
        let trail = try directory.open { _ in }
        #expect(trail.status.setAside.count == 1)
        trail.close()
        try directory.expectClosedAccount(trail)
    }

    @Test(
        "Damaged pages that two writers find: both go on in one new trail, and nothing that was not committed is lost"
    )
    func whileWriting() async throws {
        let directory = try TemporaryTrail()
        let log = LineLog()
        let trails = try (0..<2).map { _ in try directory.open { $0.logger = log.logger } }
        for trail in trails {
            withAppContext(App("shop", recorder: trail.recorder)) { _ in }
            await trail.flush()
        }
        let before = trails.map { $0.recorder.accounting.stored }
        // Everything into the file, and a change by somebody else, so that nobody goes on with what he has in memory.
        let other = try directory.connection()
        try await other.writeWithoutTransaction { database in
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            try Self.damage(directory.path, from: 4096)
            try database.execute(sql: "PRAGMA user_version = \(version)")
        }
        for trail in trails {
            for _ in 0..<100 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
        }
        for trail in trails { await trail.flush() }
        try? other.close()
        let aside = trails.flatMap(\.status.setAside)
        #expect(aside.count == 1)
        #expect(log.count(" is damaged: it is ") == 1)
        for name in aside { #expect(FileManager.default.fileExists(atPath: name)) }
        for (trail, before) in zip(trails, before) {
            #expect(trail.status.degradation == nil)
            let runID = trail.runID
            trail.close()
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored)
            let rows = try directory.integer("SELECT count(*) FROM events WHERE run_id = \(runID)")
            #expect(rows.map(UInt64.init) == accounting.stored - before)
            let first = try directory.integer("SELECT min(seq) FROM events WHERE run_id = \(runID)")
            #expect(first.map(UInt64.init) == before + 1)
        }
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 200)
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean", "clean"])
        #expect(try directory.texts("PRAGMA integrity_check") == ["ok"])
        #expect(try TrailVerifier(path: directory.path).run().finding?.message == nil)
    }

    @Test("A trail that is moved away while it is written goes on in a new file, and both together have everything")
    func moved() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open { _ in }
        let app = App("shop", recorder: trail.recorder)
        for _ in 0..<10 { withAppContext(app) { _ in } }
        await trail.flush()
        let moved = "\(directory.directory)/moved.sqlite"
        for part in ["", "-wal", "-shm"] {
            try FileManager.default.moveItem(atPath: directory.path + part, toPath: moved + part)
        }
        for _ in 0..<10 { withAppContext(app) { _ in } }
        trail.close()
        let accounting = trail.recorder.accounting
        let counts = try await [moved, directory.path].asyncMap {
            try await SQLiteShell.lines("SELECT count(*), max(seq) - count(*) - min(seq) + 1 FROM events", in: $0)
        }
        let rows = counts.flatMap { $0 }.map { $0.split(separator: "|").compactMap { UInt64($0) } }
        #expect(rows.reduce(0) { $0 + $1[0] } == accounting.stored)
        #expect(rows.map { $0[1] } == [0, 0])
        #expect(accounting.produced == accounting.stored)
    }
}

extension Array {
    fileprivate func asyncMap<Result>(_ body: (Element) async throws -> Result) async throws -> [Result] {
        var results: [Result] = []
        for element in self { results.append(try await body(element)) }
        return results
    }
}
