// Generates a trail through the public API and times the queries that the design sets bars for.

import ArgumentParser
import Foundation

/// Generates a trail and asks it, in a plain `sqlite3` shell, what on-call asks.
@main
struct TrailQueries: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the trail's queries over a generated trail.",
        discussion: "Exit status 1 when a query's fastest of five runs takes as long as --bar or longer."
    )

    @Option(help: "How many events the trail gets at least.")
    var events = 10_000_000

    @Option(help: "The trail's file; it is removed first and kept afterwards. By default a temporary one.")
    var file: String?

    @Option(help: "How long a query may take, in milliseconds.")
    var bar = 50.0

    func run() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("trail-queries-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = self.file ?? folder.appendingPathComponent("contrail.sqlite").path
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }

        let trail = try await GeneratedTrail(path: path, events: self.events)
        print(trail.summary)
        var slowest = 0.0
        for question in Question.all(of: trail) {
            let (rows, milliseconds) = try question.fastestOfFive(path)
            slowest = max(slowest, milliseconds)
            print(String(format: "%8.0f ms  %5d rows  %@", milliseconds, rows, question.name))
            // A fast answer without rows would measure nothing.
            if rows == 0 { throw ExitCode.failure }
        }
        print(String(format: "%8.0f ms  slowest; the bar is %.0f ms", slowest, self.bar))
        if slowest >= self.bar { throw ExitCode.failure }
    }
}
