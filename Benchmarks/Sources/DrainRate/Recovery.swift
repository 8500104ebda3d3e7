// How long it takes to move a full ring into the database after a process was killed.

import ContrailRecorder
import ContrailStore
import Foundation

/// Fills a ring in a process of its own, which kills itself, and times the recovery.
struct Recovery {
    private static let turns = 5

    /// Opens the trail with a drain that sleeps, fills its ring, and dies. Run in a process of its own.
    static func fillAndDie(path: String, slots: Int) throws {
        let trail = try TrailStore(
            path: path,
            app: "bench",
            configuration: TrailStore.Configuration(
                recorder: FlightRecorder.Configuration(capacity: slots),
                durability: .ring,
                retention: .unlimited
            )
        )
        let drained = try DrainedTrail(trail, path: path)
        while trail.recorder.accounting.dropped == 0 { try drained.request() }
        kill(getpid(), SIGKILL)
    }

    /// Prints a line for each size of a ring. Returns the longest for the default one, in milliseconds.
    static func run(in folder: URL, slots sizes: [Int]) throws -> Double {
        var longest = 0.0
        for slots in sizes {
            var times: [(milliseconds: Double, events: Int)] = []
            for turn in 0..<Self.turns {
                let path = folder.appendingPathComponent("recovery-\(slots)-\(turn).sqlite").path
                let child = Process()
                child.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
                child.arguments = ["--fill", path, "--slots", String(slots)]
                try child.run()
                child.waitUntilExit()
                guard child.terminationReason == .uncaughtSignal else { throw NotKilled() }
                let begin = ContinuousClock.now
                let recovered = try TrailStore.recover(path: path)
                let time = (ContinuousClock.now - begin) / .milliseconds(1)
                times.append((time, recovered.reduce(0) { $0 + $1.events }))
            }
            times.sort { $0.milliseconds < $1.milliseconds }
            let (best, worst) = (times[0], times[times.count - 1])
            print(
                String(
                    format: "%8d slots %7d events: %.0f to %.0f ms, %.0f events/s",
                    slots,
                    best.events,
                    best.milliseconds,
                    worst.milliseconds,
                    Double(best.events) / best.milliseconds * 1000
                )
            )
            if slots == sizes.first { longest = worst.milliseconds }
        }
        return longest
    }
}

/// The process that fills a ring ended otherwise than by its own signal.
private struct NotKilled: Error {}
