// Input that a program must refuse, and what it has to say about it.

import Foundation
import ProcessSupport
import Testing

/// One call of a program that must fail.
struct BadInput: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let program: String
    let arguments: [String]
    /// A word that names the cause.
    let cause: String
    /// A word that names the remedy.
    let remedy: String
    /// Takes away the permission to write everywhere, which root has.
    var isUnprivileged = false
    /// Makes what is in the directory before the program starts.
    var prepare: @Sendable (TemporaryDirectory) async throws -> Void = { _ in }

    /// Makes it and runs the program: exactly one line on standard error, a status other than 0, nothing changed.
    func check() async throws {
        try await TemporaryDirectory.with { directory in
            try await self.prepare(directory)
            let before = try directory.state
            let result = try await Program.run(
                self.program,
                self.arguments,
                in: directory,
                launcher: self.isUnprivileged ? Self.unprivileged : []
            )
            result.expectRefusal(cause: self.cause, remedy: self.remedy)
            #expect(try directory.state == before)
        }
    }

    /// Root may write everywhere unless this capability is taken away; others may not anyway.
    private static var unprivileged: [String] {
        geteuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"] : []
    }
}

extension Program.Result {
    /// Expects one line on standard error that names cause and remedy, nothing on standard output, and a status other
    /// than 0.
    func expectRefusal(cause: String, remedy: String, at location: SourceLocation = #_sourceLocation) {
        if case .exited(let status) = self.ending {
            #expect(status != 0, sourceLocation: location)
        } else {
            Issue.record("it did not exit: \(self.ending)", sourceLocation: location)
        }
        #expect(self.output == "", sourceLocation: location)
        #expect(self.errors.hasSuffix("\n"), sourceLocation: location)
        #expect(self.errors.split(separator: "\n").count == 1, "\(self.errors)", sourceLocation: location)
        #expect(self.errors.contains(cause), "the cause is not named: \(self.errors)", sourceLocation: location)
        #expect(self.errors.contains(remedy), "the remedy is not named: \(self.errors)", sourceLocation: location)
    }
}

/// What the directories of the tests hold.
enum BadFile {
    @Sendable static func text(in directory: TemporaryDirectory) throws {
        try directory.write(String(repeating: "no database, and longer than its header\n", count: 20), to: "notes.txt")
    }

    @Sendable static func foreign(in directory: TemporaryDirectory) async throws {
        let sql = "CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)"
        try await SQLiteShell.lines(sql, in: directory.path("foreign.db"))
    }

    @Sendable static func newer(in directory: TemporaryDirectory) async throws {
        try await DeadTrail.write(in: directory)
        // Without a log, so that the version is in the file and nowhere else.
        let sql = "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA user_version = 99"
        try await SQLiteShell.lines(sql, in: directory.path(DeadTrail.name))
    }

    @Sendable static func readOnly(in directory: TemporaryDirectory) async throws {
        try await DeadTrail.write(in: directory)
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: directory.url.path)
    }

    @Sendable static func readOnlyDirectory(in directory: TemporaryDirectory) throws {
        let locked = directory.path("locked")
        try FileManager.default.createDirectory(atPath: locked, withIntermediateDirectories: false)
        try FileManager.default.setAttributes([.posixPermissions: 0o555], ofItemAtPath: locked)
    }
}
