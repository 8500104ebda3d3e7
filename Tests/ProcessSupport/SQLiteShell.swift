// The sqlite3 command, as an operator uses it.

private import Foundation

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Runs SQL with the `sqlite3` shell.
package enum SQLiteShell {
    /// The rows, their values joined by `|` and nulls empty, as the shell prints them.
    @discardableResult
    package static func lines(_ sql: String, in database: String) async throws -> [String] {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        shell.arguments = ["sqlite3", "-init", "/dev/null", "-batch", "-cmd", ".timeout 5000", "-list", database, sql]
        shell.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        shell.standardOutput = output
        shell.standardError = errors
        try shell.run()
        let rows = OutputLog(reading: output.fileHandleForReading)
        let complaints = OutputLog(reading: errors.fileHandleForReading)
        let isDone = try await eventually("sqlite3 ends", within: .seconds(60)) {
            rows.isAtEnd && complaints.isAtEnd && !shell.isRunning ? true : nil
        }
        guard isDone, shell.terminationStatus == 0 else {
            throw TestSupportError("sqlite3 refused \(sql): \(complaints.text)")
        }
        return rows.lines
    }

    /// Runs the closure while another process has the write lock.
    package static func holdingWriteLock<Result>(
        of database: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await self.holding("BEGIN IMMEDIATE", of: database, body)
    }

    /// Runs the closure while a shell is in the middle of a read transaction, as somebody's forgotten terminal is.
    package static func holdingSnapshot<Result>(
        of database: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        try await self.holding("BEGIN", of: database, body)
    }

    private static func holding<Result>(
        _ begin: String,
        of database: String,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        shell.arguments = ["sqlite3", "-init", "/dev/null", "-batch", "-cmd", ".timeout 5000", "-list", database]
        let (input, output) = (Pipe(), Pipe())
        shell.standardInput = input
        shell.standardOutput = output
        try shell.run()
        // A shell that was started from a thread of a pool has the signals blocked that the thread has.
        defer { kill(shell.processIdentifier, SIGKILL) }
        let rows = OutputLog(reading: output.fileHandleForReading)
        try input.fileHandleForWriting.write(contentsOf: Data("\(begin); SELECT count(*) FROM runs;\n".utf8))
        try await eventually("sqlite3 reads", within: .seconds(10)) { rows.lines.isEmpty ? nil : () }
        return try await body()
    }
}
