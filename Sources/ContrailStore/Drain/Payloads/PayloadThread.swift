// Runs the encoding of users' values on a thread that the drain can do without.

internal import ContrailRecorder
private import Dispatch
private import Foundation
private import Synchronization

/// Encodes values one after the other, each on a thread that is given up when a value takes too long. The drain alone calls it, and
/// waits for ``patience`` at each value and for ``mostTime`` in all.
final class PayloadThread: Sendable {
    /// How long one value may take.
    static let patience: Duration = .milliseconds(100)
    /// How long the values of one batch may take in all.
    static let mostTime: Duration = .seconds(1)
    /// How many threads may stand still in values that never end; with so many no value is encoded any more.
    static let mostStuck = 4

    /// A value to be encoded.
    struct Job: Sendable {
        let value: any Sendable
        let type: String
    }

    typealias Outcome = Result<EncodedPayload, PayloadLoss>

    /// Types of which a value still takes its time, by how many do.
    private let stuck = StuckTypes()
    private let redaction: RedactionPolicy

    init(redaction: RedactionPolicy) {
        self.redaction = redaction
    }

    /// Encodes the values. What takes too long, or is of a type that still does, is lost.
    func encode(_ jobs: [Job]) -> [Outcome] {
        var outcomes: [Outcome] = []
        let deadline = ContinuousClock.now + Self.mostTime
        while outcomes.count < jobs.count {
            let job = jobs[outcomes.count]
            guard ContinuousClock.now < deadline, self.stuck.count < Self.mostStuck, !self.stuck.contains(job.type)
            else {
                outcomes.append(.failure(.hung))
                continue
            }
            outcomes += self.encode(jobs[outcomes.count...], until: deadline)
        }
        return outcomes
    }

    /// Encodes values up to the first that takes too long, which is among the outcomes.
    private func encode(_ jobs: ArraySlice<Job>, until deadline: ContinuousClock.Instant) -> [Outcome] {
        let round = PayloadRound(jobs, self.redaction, self.stuck)
        Thread { round.run() }.start()
        var seen = 0
        while true {
            let isOver = round.wait(for: Self.patience)
            let count = round.count
            if isOver { return round.outcomes }
            if count == seen || ContinuousClock.now > deadline {
                // One that has ended at this very moment is taken with the others.
                return round.abandon() ?? round.outcomes
            }
            seen = count
        }
    }
}

/// The types of values that threads stand still in.
private final class StuckTypes: Sendable {
    private let types = Mutex<[String: Int]>([:])

    var count: Int { self.types.withLock { $0.values.reduce(0, +) } }

    func contains(_ type: String) -> Bool { self.types.withLock { $0[type] != nil } }

    func add(_ type: String) { self.types.withLock { $0[type, default: 0] += 1 } }

    func remove(_ type: String) {
        self.types.withLock { types in
            let count = types[type, default: 1] - 1
            types[type] = count == 0 ? nil : count
        }
    }
}

/// The values that one thread encodes. It goes on until it is through, or is given up.
private final class PayloadRound: Sendable {
    private struct State {
        var outcomes: [PayloadThread.Outcome] = []
        var isAbandoned = false
    }

    private let jobs: [PayloadThread.Job]
    private let redaction: RedactionPolicy
    private let stuck: StuckTypes
    private let state = Mutex(State())
    private let finished = DispatchSemaphore(value: 0)

    init(_ jobs: ArraySlice<PayloadThread.Job>, _ redaction: RedactionPolicy, _ stuck: StuckTypes) {
        // A type that takes too long is not asked again while it does.
        self.jobs = Array(jobs.prefix { !stuck.contains($0.type) })
        self.redaction = redaction
        self.stuck = stuck
    }

    var outcomes: [PayloadThread.Outcome] { self.state.withLock { $0.outcomes } }
    var count: Int { self.outcomes.count }

    func run() {
        for job in self.jobs {
            let outcome = PayloadEncoding.encode(job.value, type: job.type, redaction: self.redaction)
            let isAbandoned = self.state.withLock { state in
                if !state.isAbandoned { state.outcomes.append(outcome) }
                return state.isAbandoned
            }
            if isAbandoned { return self.stuck.remove(job.type) }
        }
        self.finished.signal()
    }

    /// Whether the thread is through within a time.
    func wait(for patience: Duration) -> Bool {
        self.finished.wait(timeout: .now() + .nanoseconds(Int(patience / .nanoseconds(1)))) == .success
    }

    /// Gives the thread up at the value it is in, which is lost. Nil when it is through.
    func abandon() -> [PayloadThread.Outcome]? {
        self.state.withLock { state in
            guard state.outcomes.count < self.jobs.count else { return nil }
            state.isAbandoned = true
            self.stuck.add(self.jobs[state.outcomes.count].type)
            return state.outcomes + [.failure(.hung)]
        }
    }
}
