// Which trail a command reads.

internal import ArgumentParser
internal import ContrailStore
private import Foundation

/// The option that names the database file.
struct TrailOption: ParsableArguments {
    @Option(name: .customLong("db"), help: "The trail's database file.")
    var path: String

    /// Refuses a file that is missing or is no trail, before anything else is done.
    func check() throws {
        try TrailDatabase.checkReadable(self.path)
    }

    /// Refuses also a trail that cannot be read.
    func checkReading() async throws {
        try await self.read { _ = try await $0.run("SELECT count(*) FROM runs") }
    }

    /// Whether the trail has a write-ahead log beside it.
    var hasLog: Bool { FileManager.default.fileExists(atPath: self.path + "-wal") }

    /// Removes the empty log and the index that reading left beside a trail which nobody writes.
    func removeIdleIndex() { TrailDatabase.removeIdleIndex(of: self.path) }

    /// Runs the closure with connections to the trail, and leaves no file beside it that was not there before.
    func read<Result>(_ body: (QueryPool) async throws -> Result) async throws -> Result {
        try self.check()
        let hadLog = self.hasLog
        let pool = QueryPool(path: self.path, connections: 1)
        defer {
            pool.closeAndWait()
            if !hadLog { self.removeIdleIndex() }
        }
        return try await body(pool)
    }
}
