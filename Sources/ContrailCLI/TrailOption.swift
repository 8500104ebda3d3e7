// Which trail a command reads.

internal import ArgumentParser
private import ContrailStore
private import Foundation

/// The option that names the database file.
struct TrailOption: ParsableArguments {
    @Option(name: .customLong("db"), help: "The trail's database file.")
    var path: String

    /// Refuses a file that is missing or is no trail, before anything else is done.
    func check() async throws {
        guard FileManager.default.fileExists(atPath: self.path) else {
            throw ValidationError("\(self.path) does not exist: name the trail's database file with --db")
        }
        let pool = QueryPool(path: self.path, connections: 1)
        defer { pool.close() }
        _ = try await pool.run("SELECT count(*) FROM runs")
    }
}
