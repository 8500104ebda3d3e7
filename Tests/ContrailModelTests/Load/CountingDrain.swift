// A drain that counts: it takes every event of a recorder and keeps nothing but numbers.

import ContrailRecorder
import Foundation
import Synchronization

/// Takes a recorder's events on a thread of its own and counts them by kind.
final class CountingDrain: Sendable {
    /// What was drained.
    struct Counts: Sendable {
        var byKind: [UInt8: Int] = [:]
        /// Pushes whose pop is still to come.
        var open = 0
        /// The problems, up to a hundred of them.
        var problems: [String] = []

        func count(_ kind: EventKind) -> Int { self.byKind[kind.code] ?? 0 }
    }

    private let recorder: FlightRecorder
    private let isStopping = Atomic<Bool>(false)
    private let result = Mutex<Counts?>(nil)
    private let hasStopped = DispatchSemaphore(value: 0)

    /// Starts to drain a recorder.
    init(_ recorder: FlightRecorder) {
        self.recorder = recorder
        Thread.detachNewThread { self.drain() }
    }

    /// Drains what is left and says what it was. Call it once, when nobody records any more; not from a task.
    func stop() -> Counts {
        self.isStopping.store(true, ordering: .releasing)
        self.hasStopped.wait()
        return self.result.withLock { $0.take() } ?? Counts()
    }

    private func drain() {
        var counts = Counts()
        while true {
            // Asked before the last look: what was recorded before the call of `stop` is found.
            let isStopping = self.isStopping.load(ordering: .acquiring)
            let isEmpty = Self.drain(self.recorder, &counts) == 0
            if isStopping { break }
            if isEmpty { SteppedThread.yield() }
        }
        self.result.withLock { $0 = counts }
        self.hasStopped.signal()
    }

    /// Takes what there is and counts it. Returns how much it was.
    @discardableResult
    static func drain(_ recorder: FlightRecorder, _ counts: inout Counts) -> Int {
        var drained = 0
        while let event = recorder.takeEvent() {
            self.count(event, &counts)
            drained += 1
        }
        return drained
    }

    private static func count(_ event: TrailEvent, _ counts: inout Counts) {
        counts.byKind[event.kind.code, default: 0] += 1
        switch event.body {
        case .appPush, .requestPush: counts.open += 1
        case .appPop, .requestPop: counts.open -= 1
        case .problem(let problem):
            if counts.problems.count < 100 { counts.problems.append("\(problem.kind): \(problem.message)") }
        case .signalFailed(let signal, let error): counts.problems.append("\(signal): \(error)")
        default: break
        }
    }
}
