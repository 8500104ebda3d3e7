// What recording adds to threads that make contexts at a steady pace, and what storing them takes.

import ArgumentParser
import Contrail
import ContrailStore
import Foundation
import RawLoop
import Synchronization

#if canImport(Glibc)
import Glibc
#endif

/// The measurement of processor time at a steady pace: with a recorder and without, in turns.
struct Steady: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measure the processor time that recording adds at a steady pace.",
        discussion: """
            As many threads as there are processors make app contexts, a portion each millisecond. What is compared is the \
            processor time of the portions with a recorder and without, in turns; the median of the turns counts. Waiting for \
            the next millisecond is not in it. The processor time of the drain's thread is given an event, and beside it that of \
            a loop in C which stores as many events of the same kind at the same intervals. With --strict the exit status is 1 \
            when a bar is missed.
            """
    )

    @Option(help: "How many app contexts a second all threads make together.")
    var rate = 10_000

    @Option(help: "How long a turn is, in seconds.")
    var seconds = 2

    @Option(help: "How many turns of each kind there are.")
    var turns = 15

    @Flag(help: "Fail when a bar of the design is missed.")
    var strict = false

    /// Of a core.
    private static let bar = 0.005
    /// Of what the loop in C takes.
    private static let drainBar = 1.4
    /// How often the drain commits unless it is told otherwise, in milliseconds.
    private static let interval = Int(TrailStore.Durability.group.interval / .milliseconds(1))

    func run() async throws {
        let measured = try MeasuredTrail()
        defer { measured.remove() }
        let trail = measured.store
        let audited = App("bench", recorder: trail.recorder)
        let plain = App("bench")
        let raw = try RawLoop(path: measured.path + "-raw", like: measured.path)

        _ = self.turn(audited, 1)
        _ = self.turn(plain, 1)
        await trail.flush()
        var with: [Double] = []
        var without: [Double] = []
        var storing: [Double] = []
        var yardstick: [Double] = []
        var events: UInt64 = 0
        for _ in 0..<self.turns {
            without.append(self.turn(plain, self.seconds).portions / Double(self.seconds))
            let stored = trail.recorder.accounting.stored
            let before = Self.time(CLOCK_PROCESS_CPUTIME_ID)
            let producers = self.turn(audited, self.seconds)
            await trail.flush()
            with.append(producers.portions / Double(self.seconds))
            events = trail.recorder.accounting.stored - stored
            storing.append((Self.time(CLOCK_PROCESS_CPUTIME_ID) - before - producers.whole) / Double(events))
            yardstick.append(try self.storeInC(raw))
        }
        let accounting = trail.recorder.accounting
        trail.close()
        raw.close()

        let added = zip(with, without).map { $0 - $1 }.sorted()
        let share = added[added.count / 2]
        let contexts = "%d contexts/s on %d threads: %.3f %% of a core without a recorder, %.3f %% with one"
        print(String(format: contexts, self.rate, self.threads, Self.median(without) * 100, Self.median(with) * 100))
        let difference = "added         %.3f %% of a core, %.3f to %.3f in %d turns; the bar is %.1f %%"
        let (least, most) = (added[0] * 100, added[added.count - 1] * 100)
        print(String(format: difference, share * 100, least, most, self.turns, Self.bar * 100))
        let drain = "drain         %.2f µs of processor time an event, %d events a turn"
        print(String(format: drain, Self.median(storing) * 1e6, events))
        let ratio = Self.median(storing) / Self.median(yardstick)
        let loop =
            "C loop        %.2f µs, as many at the same intervals: the drain takes %.2f times that; the bar is %.1f"
        print(String(format: loop, Self.median(yardstick) * 1e6, ratio, Self.drainBar))
        print("events        \(accounting.stored) stored, \(accounting.dropped) dropped")
        if self.strict, share > Self.bar || ratio > Self.drainBar { throw ExitCode.failure }
    }

    /// Stores with the loop in C what a turn makes, a portion as often as the drain commits. Returns its processor time an event.
    private func storeInC(_ raw: RawLoop) throws -> Double {
        var (spent, events) = (0.0, 0)
        try Pace.each(milliseconds: Self.interval, self.seconds * 1000 / Self.interval) {
            let before = Self.time(CLOCK_THREAD_CPUTIME_ID)
            events += try raw.writeApps(self.rate * Self.interval / 1000)
            spent += Self.time(CLOCK_THREAD_CPUTIME_ID) - before
        }
        return spent / Double(events)
    }

    private var threads: Int { ProcessInfo.processInfo.activeProcessorCount }

    /// Processor time of all threads that make contexts, in seconds.
    private struct Spent: Sendable {
        /// Of making them.
        var portions = 0.0
        /// With the waiting in between.
        var whole = 0.0
    }

    /// Makes contexts for so many seconds.
    private func turn(_ app: App, _ seconds: Int) -> Spent {
        let spent = Mutex(Spent())
        let group = DispatchGroup()
        let portion = max(1, self.rate / 1000 / self.threads)
        for _ in 0..<self.threads {
            group.enter()
            Thread.detachNewThread {
                var portions = 0.0
                let whole = Self.time(CLOCK_THREAD_CPUTIME_ID)
                Pace.each(milliseconds: 1, 1000 * seconds) {
                    let before = Self.time(CLOCK_THREAD_CPUTIME_ID)
                    for _ in 0..<portion { withAppContext(app) { _ in } }
                    portions += Self.time(CLOCK_THREAD_CPUTIME_ID) - before
                }
                let (made, ended) = (portions, Self.time(CLOCK_THREAD_CPUTIME_ID))
                spent.withLock {
                    $0.portions += made
                    $0.whole += ended - whole
                }
                group.leave()
            }
        }
        group.wait()
        return spent.withLock { $0 }
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    private static func time(_ clock: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(clock, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
