// Files that are no trail, or not one for this version: refused with the cause and the remedy, and left as they are.

import ContrailStore
import Foundation
import GRDB
import Testing

@Suite("Files that are refused")
struct RefusedFileTests {
    private func expectRefusal(
        _ code: StoreError.Code,
        mentions words: [String],
        in directory: TemporaryTrail
    ) throws {
        let before = try directory.contents()
        let error = #expect(throws: StoreError.self) { try directory.open() }
        #expect(error?.code == code)
        for word in words { #expect(error?.message.contains(word) == true, "\(error?.message ?? "") lacks \(word)") }
        #expect(error?.message.contains("\n") == false)
        #expect(try directory.contents() == before)
    }

    @Test("a file that is not a database")
    func notADatabase() throws {
        let directory = try TemporaryTrail()
        try Data("to be or not to be".utf8).write(to: URL(fileURLWithPath: directory.path))
        try self.expectRefusal(.notADatabase, mentions: [directory.path, "name another file"], in: directory)
    }

    @Test("a large file that is not a database")
    func largeNotADatabase() throws {
        let directory = try TemporaryTrail()
        try Data(repeating: 7, count: 100_000).write(to: URL(fileURLWithPath: directory.path))
        try self.expectRefusal(.notADatabase, mentions: [directory.path], in: directory)
    }

    @Test("somebody else's database", arguments: [false, true])
    func notATrail(inWALMode: Bool) throws {
        let directory = try TemporaryTrail()
        var configuration = Configuration()
        configuration.journalMode = inWALMode ? .wal : .default
        let queue = try DatabaseQueue(path: directory.path, configuration: configuration)
        try queue.write { try $0.execute(sql: "CREATE TABLE customer (id INTEGER PRIMARY KEY)") }
        try queue.close()
        try self.expectRefusal(.notATrail, mentions: ["not a trail"], in: directory)
    }

    @Test("a trail of a newer schema")
    func newerSchema() throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        let queue = try directory.connection()
        try queue.write { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        try self.expectRefusal(.newerSchema, mentions: ["99", "upgrade"], in: directory)
    }

    @Test("a directory that does not exist")
    func missingDirectory() throws {
        let directory = try TemporaryTrail()
        let path = "\(directory.directory)/missing/contrail.sqlite"
        let error = #expect(throws: StoreError.self) { try TrailStore(path: path, app: "shop") }
        #expect(error?.code == .inaccessible)
        #expect(error?.message.contains("create it") == true)
        #expect(try directory.contents().isEmpty)
    }

    @Test("a path that is a directory, or lies under a file")
    func notAFile() throws {
        let directory = try TemporaryTrail()
        for path in [directory.directory, "/dev/null/contrail.sqlite"] {
            let error = #expect(throws: StoreError.self) { try TrailStore(path: path, app: "shop") }
            #expect(error?.code == .inaccessible)
        }
    }

    @Test("an empty file becomes a trail")
    func emptyFile() throws {
        let directory = try TemporaryTrail()
        try Data().write(to: URL(fileURLWithPath: directory.path))
        try directory.open().close()
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean"])
        #expect(try directory.integer("PRAGMA auto_vacuum") == 2)
    }
}
