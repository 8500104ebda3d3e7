// How fast the drain stores what a recorder buffered, beside a loop in C that writes the same rows.

import ArgumentParser
import Foundation
import RawLoop

/// Times the drain and the C loop in turns, and prints both with their ratio.
@main
struct DrainRate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the drain against a loop in C that writes the same rows, in turns.",
        discussion: """
            Each turn stores the same number of events: with the drain, what a recorder has buffered; in C, as many of the \
            same mix. Rates are of the fastest turn; beside the wall clock stands the processor time of an event, which \
            another load on the machine moves less. With --strict the exit status is 1 when a bar is missed.
            """
    )

    @Option(help: "How many events a turn stores, up to 500,000: they fit in the ring.")
    var events = 500_000

    @Option(help: "How many turns each of the two gets.")
    var turns = 3

    @Option(help: "Keep the trail below so many MiB: then the drain drops as much as it stores.")
    var cap: Int?

    @Option(
        parsing: .upToNextOption,
        help: "Grow one trail to these numbers of events instead, and compare it in turns with one of the first number."
    )
    var growth: [Int] = []

    @Flag(help: "Time the recovery of full rings of killed processes instead, the default one and a larger one.")
    var recovery = false

    @Option(help: .hidden)
    var fill: String?

    @Option(help: .hidden)
    var slots = 65_536

    @Option(help: "Where the random rows that are asked for come from.")
    var seed = UInt64.random(in: 0...(1 << 48))

    @Flag(help: "Write the trail without a chain of hashes.")
    var unchained = false

    @Flag(help: "Fail when a bar of the design is missed.")
    var strict = false

    func run() async throws {
        if let fill { return try Recovery.fillAndDie(path: fill, slots: self.slots) }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("drain-rate-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }

        if self.recovery {
            let longest = try Recovery.run(in: folder, slots: [self.slots, self.slots * 8])
            print("bar         400 ms for the first")
            if self.strict, longest > 400 { throw ExitCode.failure }
            return
        }
        let make = { (name: String) in
            let path = folder.appendingPathComponent("\(name).sqlite").path
            let cap = self.cap.map { $0 << 20 }
            return (path, try DrainedTrail(path: path, events: self.events, isChained: !self.unchained, cap: cap))
        }
        if !self.growth.isEmpty {
            print("seed \(self.seed)")
            var growth = try Growth(seed: self.seed, make)
            let worst = try await growth.run(self.growth)
            print(String(format: "worst       %.2f times the first size; the bar is 1.20", worst))
            if self.strict, worst > 1.2 { throw ExitCode.failure }
            return
        }
        let (path, drained) = try make("drain")
        let raw = try RawLoop(path: folder.appendingPathComponent("raw.sqlite").path, like: path)
        var drain = Turns()
        var loop = Turns()
        for _ in 0..<self.turns {
            drain.add(try await drained.turn())
            loop.add(try await Turn.measure { try raw.writeRequests(events: self.events) })
        }
        drained.close()
        raw.close()
        if self.cap != nil { print("retention   longest pause \(drained.longestPause)") }
        let bytes = try drained.bytesPerEvent()
        let rawBytes = try raw.bytesPerEvent()
        print("drain       \(drain.text), \(String(format: "%.1f", bytes)) bytes an event")
        print("C loop      \(loop.text), \(String(format: "%.1f", rawBytes)) bytes an event")
        let byClock = drain.rate / loop.rate
        let byProcessor = loop.microseconds / drain.microseconds
        let ratio = "drain / C   %.0f %% by the clock, %.0f %% by processor time"
        print(String(format: ratio, byClock * 100, byProcessor * 100))
        print("bars        250000 events/s, 70 %, 100 bytes an event")
        if self.strict, drain.rate < 250_000 || byProcessor < 0.7 || bytes > 100 { throw ExitCode.failure }
    }
}

/// Several turns.
struct Turns {
    private var events = 0
    private var seconds = 0.0
    private var processorSeconds = 0.0
    /// Events a second, of the fastest turn by the clock.
    private(set) var rate = 0.0
    /// Processor time of an event, of the cheapest turn.
    private(set) var microseconds = Double.infinity

    mutating func add(_ turn: Turn) {
        self.events += turn.events
        self.seconds += turn.seconds
        self.processorSeconds += turn.processorSeconds
        self.rate = max(self.rate, Double(turn.events) / turn.seconds)
        self.microseconds = min(self.microseconds, turn.processorSeconds * 1_000_000 / Double(turn.events))
    }

    /// Of all turns together: the log is not moved in each of them.
    var averageRate: Double { Double(self.events) / self.seconds }
    var averageMicroseconds: Double { self.processorSeconds * 1_000_000 / Double(self.events) }

    var text: String { Self.text(self.rate, self.microseconds) }
    var average: String { Self.text(self.averageRate, self.averageMicroseconds) }

    private static func text(_ rate: Double, _ microseconds: Double) -> String {
        String(format: "%8.0f events/s, %.2f µs of processor time an event", rate, microseconds)
    }
}

/// What one turn took.
struct Turn {
    let events: Int
    let seconds: Double
    let processorSeconds: Double

    /// Measures a body that returns how many events it stored.
    static func measure(_ body: () async throws -> Int) async rethrows -> Turn {
        let start = (ContinuousClock.now, Self.processorTime)
        let events = try await body()
        return Turn(
            events: events,
            seconds: (ContinuousClock.now - start.0) / .seconds(1),
            processorSeconds: Self.processorTime - start.1
        )
    }

    /// Of the whole process: while a turn runs, nothing else does.
    static var processorTime: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
