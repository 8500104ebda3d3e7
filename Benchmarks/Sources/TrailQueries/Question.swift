// What on-call asks, as SQL, and how long a plain sqlite3 shell takes to answer.

import Foundation

/// One question to a trail.
struct Question {
    let name: String
    let sql: String

    /// The questions that the design sets bars for.
    static func all(of trail: GeneratedTrail) -> [Question] {
        [
            Question(
                name: "open contexts, oldest 50",
                sql: "SELECT * FROM contexts WHERE outcome = 'open' ORDER BY pushed_at LIMIT 50"
            ),
            Question(name: "contexts, newest 50", sql: "SELECT * FROM contexts ORDER BY context_id DESC LIMIT 50"),
            Question(
                name: "contexts, newest 50 by time",
                sql: "SELECT * FROM contexts ORDER BY pushed_at DESC LIMIT 50"
            ),
            Question(
                name: "contexts by request id",
                sql: "SELECT * FROM contexts WHERE request_id = '\(trail.requestID)'"
            ),
            Question(
                name: "contexts by path and time",
                sql:
                    "SELECT * FROM contexts WHERE path = '\(trail.path)' AND pushed_at > \(trail.middle) ORDER BY pushed_at"
            ),
            Question(name: "problems, newest 50", sql: "SELECT * FROM problems ORDER BY id DESC LIMIT 50"),
            Question(
                name: "problems by signature",
                sql: """
                    SELECT * FROM problems WHERE signature = (SELECT signature FROM problems ORDER BY id DESC LIMIT 1)
                    ORDER BY id DESC LIMIT 50
                    """
            ),
            Question(
                name: "one timeline",
                sql: """
                    SELECT * FROM events WHERE context_id =
                        (SELECT context_id FROM contexts WHERE request_id = '\(trail.requestID)') ORDER BY seq
                    """
            ),
            Question(
                name: "events by kind and time",
                sql: """
                    SELECT * FROM events WHERE kind = 'g_set' AND at BETWEEN \(trail.middle) AND \(trail.middle + 1_000_000)
                    ORDER BY id LIMIT 1000
                    """
            ),
            Question(
                name: "events by kind, newest 50",
                sql: "SELECT * FROM events WHERE kind = 'teardown' ORDER BY id DESC LIMIT 50"
            ),
            Question(name: "teardowns, newest 50", sql: "SELECT * FROM teardowns ORDER BY id DESC LIMIT 50"),
            Question(name: "recycles, newest 50", sql: "SELECT * FROM recycles ORDER BY id DESC LIMIT 50"),
            Question(name: "snapshots of g, newest 50", sql: "SELECT * FROM g_snapshots ORDER BY id DESC LIMIT 50"),
        ]
    }

    /// How many rows the answer has, and the fastest of five runs, each in a process of its own, in milliseconds of SQLite's
    /// own timer, which counts whole ones.
    func fastestOfFive(_ path: String) throws -> (rows: Int, milliseconds: Double) {
        let runs = try (0..<5).map { _ in try self.ask(path) }
        return (runs[0].rows, runs.map(\.milliseconds).min() ?? 0)
    }

    private func ask(_ path: String) throws -> (rows: Int, milliseconds: Double) {
        let process = Process()
        let input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = ["-batch", "-readonly", path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // The first statement loads the schema, which is not what is measured.
        input.fileHandleForWriting.write(Data("SELECT count(*) FROM runs;\n.timer on\n\(self.sql);\n".utf8))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard let line = text.split(separator: "\n").last(where: { $0.hasPrefix("Run Time: real") }),
            let seconds = Double(line.split(separator: " ")[3])
        else { throw UnreadableOutput(text: text) }
        // One line is the count of the first statement, one is the timer's.
        return (text.split(separator: "\n").count - 2, seconds * 1000)
    }
}

/// The shell said something else than how long it took.
struct UnreadableOutput: Error {
    let text: String
}
