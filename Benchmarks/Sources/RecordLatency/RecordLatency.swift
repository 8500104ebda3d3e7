// How long a record takes its caller while everything around it is busy, and what it asks of the system.

import ArgumentParser
import Contrail
import Foundation

/// Measures single records, or makes them for `strace` to watch.
@main
struct RecordLatency: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what one record takes while the drain, a reader and a writer to the same disk are busy.",
        discussion: """
            As many threads as there are processors set values of g, each at the given rate; one record is one of them, from \
            clock to clock. With --strict the exit status is 1 when the bar is missed.
            """,
        subcommands: [Load.self, Steady.self, Watched.self, DiskWriter.self],
        defaultSubcommand: Load.self
    )
}

/// The measurement.
struct Load: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Measure under load.")

    @Option(help: "How long, in seconds.")
    var seconds = 10

    @Option(help: "How many records a second each thread makes.")
    var rate = 20_000

    @Option(help: "How many MB a second another process writes to the same disk; 0 for none.")
    var megabytes = 200

    @Option(help: "Where the trail is; default the folder for temporary files.")
    var folder: String?

    @Flag(help: "Fail when a bar of the design is missed.")
    var strict = false

    func run() async throws {
        let measured = try MeasuredTrail(in: self.folder)
        defer { measured.remove() }
        let trail = measured.store
        let app = App("bench", recorder: trail.recorder)
        let writer = try self.startWriter(in: measured.folder)
        defer { writer?.terminate() }
        let reader = try self.startReader(of: measured.path)
        defer { reader.terminate() }

        let count = ProcessInfo.processInfo.activeProcessorCount
        let producers = (0..<count).map { Producer(app, number: $0, rate: self.rate, seconds: self.seconds) }
        for producer in producers { producer.start() }
        let results = producers.map { $0.wait() }
        let mayReport = writer?.isRunning ?? true
        await trail.flush()
        let accounting = trail.recorder.accounting
        trail.close()

        let latencies = results.flatMap(\.nanoseconds).sorted()
        func percentile(_ part: Double) -> Double { Double(latencies[Int(Double(latencies.count - 1) * part)]) / 1000 }
        print("\(count) threads, \(latencies.count) records")
        print("events       \(accounting.stored) stored, \(accounting.dropped) dropped")
        let text = "one record   p50 %.2f µs, p99 %.2f µs, p99.9 %.2f µs, longest %.0f µs"
        print(String(format: text, percentile(0.5), percentile(0.99), percentile(0.999), percentile(1)))
        let faults = results.reduce((0, 0)) { ($0.0 + $1.minorFaults, $0.1 + $1.majorFaults) }
        print("page faults  \(faults.0) without the disk, \(faults.1) with it, of all threads together")
        print("bar          p99.9 50 µs")
        if !mayReport { print("the writer to the disk ended early") }
        if self.strict, percentile(0.999) >= 50 || !mayReport { throw ExitCode.failure }
    }

    private func startWriter(in folder: URL) throws -> Process? {
        guard self.megabytes > 0 else { return nil }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
        process.arguments = ["disk-writer", folder.appendingPathComponent("load").path, "\(self.megabytes)"]
        try process.run()
        return process
    }

    /// Asks the trail one question after another, in a process of its own, as the shell of somebody on call does.
    private func startReader(of path: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let question = "SELECT count(*), max(id) FROM events WHERE kind = 'g_set'"
        process.arguments = ["-c", "while :; do sqlite3 -readonly \"$0\" \"$1\"; done", path, question]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
    }
}
