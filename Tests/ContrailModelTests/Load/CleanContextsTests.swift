// Clean contexts leave no problem, however many they are: a false alarm in ten million is one too many.

import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Synchronization
import Testing

@Suite("Clean contexts")
struct CleanContextsTests {
    /// How many contexts: 20,000, or what the environment says.
    private static let count = Size.of("CONTRAIL_CLEAN_CONTEXTS", otherwise: 20_000)
    private static let threads = 2

    @Test("Clean contexts leave pushes and pops in equal number, and not one problem.", .timeLimit(.minutes(10)))
    func noFalseProblem() async throws {
        let start = ContinuousClock.now
        let each = Self.count / (2 * Self.threads)
        let counts = await withTaskGroup(of: CountingDrain.Counts.self) { group in
            for _ in 0..<Self.threads { group.addTask { await Self.run(each) } }
            return await group.reduce(into: []) { $0.append($1) }
        }
        for counts in counts {
            #expect(counts.problems.isEmpty)
            #expect(counts.open == 0)
            #expect(counts.count(.appPush) == each)
            #expect(counts.count(.appPop) == each)
            #expect(counts.count(.requestPush) == each)
            #expect(counts.count(.requestPop) == each)
        }
        print("\(Self.count) clean contexts in \(ContinuousClock.now - start)")
    }

    /// Opens as many requests with an app context each, half of them by hand, on a thread with a recorder of its own.
    private static func run(_ count: Int) async -> CountingDrain.Counts {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.open(count)) }
        }
    }

    private static func open(_ count: Int) -> CountingDrain.Counts {
        let recorder = FlightRecorder(configuration: .init(capacity: 8_192))
        let app = App("clean", recorder: recorder)
        let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")
        var counts = CountingDrain.Counts()
        for number in 0..<count {
            if number.isMultiple(of: 2) {
                withRequestContext(app, request) { context in context.appContext?.g["n"] = number }
            } else {
                let context = App.RequestContext(app, request)
                do {
                    try context.push()
                    try Current.g["n"] = number
                    try context.pop()
                } catch {
                    counts.problems.append("\(error)")
                }
            }
            // The thread drains for itself, before the buffer is full: a drop would hide a problem.
            if number.isMultiple(of: 512) { CountingDrain.drain(recorder, &counts) }
        }
        CountingDrain.drain(recorder, &counts)
        if recorder.accounting.dropped > 0 { counts.problems.append("dropped \(recorder.accounting.dropped)") }
        return counts
    }
}
