// Which trail a command reads.

internal import ArgumentParser
internal import ContrailStore
private import Foundation

/// The option that names the database file.
struct TrailOption: ParsableArguments {
    @Option(name: .customLong("db"), help: "The trail's database file.")
    var path: String

    /// Refuses a file that is missing or is no trail, before anything else is done.
    private func check() throws {
        try TrailDatabase.checkReadable(self.path)
    }

    /// Refuses also a trail that cannot be read.
    func checkReading() async throws {
        try await self.read { _ = try await $0.run("SELECT count(*) FROM runs") }
    }

    /// Runs the closure with connections to the trail, and leaves no file beside it that was not there before.
    func read<Result>(_ body: (QueryPool) async throws -> Result) async throws -> Result {
        try self.check()
        let hadLog = FileManager.default.fileExists(atPath: self.path + "-wal")
        let pool = QueryPool(path: self.path, connections: 1)
        defer {
            pool.closeAndWait()
            if !hadLog { TrailDatabase.removeIdleIndex(of: self.path) }
        }
        return try await body(pool)
    }
}
