// What becomes of an event that finds the ring full: dropped at once, or after a wait that is worth it.

import ContrailRecorder
import Foundation
import Synchronization
import Testing

@Suite("Overflow", .timeLimit(.minutes(1)))
struct OverflowTests {
    private static func recorder(_ overflow: FlightRecorder.Overflow) -> FlightRecorder {
        FlightRecorder(configuration: .init(capacity: 4, overflow: overflow))
    }

    private static func note(_ recorder: FlightRecorder) {
        recorder.recordRecycle(RecordHead(epoch: 2), before: 1, variablesDropped: 0)
    }

    /// Records one event more than fits on a thread of its own, and lends the closure the moment in which that thread waits.
    private func whileWaiting(_ recorder: FlightRecorder, _ body: () -> Void) {
        for _ in 0..<4 { Self.note(recorder) }
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            Self.note(recorder)
            done.signal()
        }
        while recorder.waiters == 0 { sched_yield() }
        body()
        done.wait()
    }

    @Test("Who may wait is woken by the drain, and nothing is dropped; the number is taken when the waiting is over")
    func room() {
        let recorder = Self.recorder(.wait(max: .seconds(10)))
        recorder.drainBegins()
        self.whileWaiting(recorder) {
            #expect(recorder.accounting.produced == 4)
            recorder.free(recorder.take(atMost: 1))
        }
        #expect(recorder.accounting.dropped == 0)
        #expect(recorder.take(atMost: 10).events.map(\.seq) == [2, 3, 4, 5])
    }

    @Test("The wait has an end: then the event is dropped and counted")
    func patience() {
        let recorder = Self.recorder(.wait(max: .milliseconds(20)))
        Thread.detachNewThread { recorder.drainBegins() }
        let begin = ContinuousClock.now
        for _ in 0..<4 { Self.note(recorder) }
        while recorder.accounting.dropped == 0 {
            let before = recorder.accounting.produced
            Self.note(recorder)
            #expect(recorder.accounting.produced == before + 1)
        }
        // However often it was refused before the drain's thread had said that it is there.
        #expect(ContinuousClock.now - begin < .seconds(10))
        #expect(recorder.takeDrops()?.kinds == EventKind.recycle.bit)
    }

    @Test("A drain that ends, or that cannot store anything, is not waited for any longer", arguments: [true, false])
    func givenUp(ends: Bool) {
        let recorder = Self.recorder(.wait(max: .seconds(10)))
        recorder.drainBegins()
        let begin = ContinuousClock.now
        self.whileWaiting(recorder) {
            if ends { recorder.drainEnds() } else { recorder.isDrainFailing = true }
        }
        Self.note(recorder)
        #expect(ContinuousClock.now - begin < .seconds(9))
        #expect(recorder.accounting.dropped == 2)
        #expect(recorder.waiters == 0)
    }

    @Test("The drain's own thread never waits, nor anybody while there is no drain")
    func drain() {
        for hasDrain in [true, false] {
            let recorder = Self.recorder(.wait(max: .seconds(10)))
            if hasDrain { recorder.drainBegins() }
            let begin = ContinuousClock.now
            for _ in 0..<6 { Self.note(recorder) }
            #expect(ContinuousClock.now - begin < .seconds(9))
            #expect(recorder.accounting.dropped == 2)
        }
    }

    @Test("A record that is larger than the ring is not waited for")
    func tooLarge() {
        let recorder = Self.recorder(.wait(max: .seconds(10)))
        Thread.detachNewThread { recorder.drainBegins() }
        let begin = ContinuousClock.now
        let message = String(repeating: "x", count: 900)
        recorder.recordProblem(RecordHead(), .init(kind: .leak, other: nil, message: message, site: Site()))
        #expect(ContinuousClock.now - begin < .seconds(9))
        #expect(recorder.accounting.dropped == 1)
    }

    @Test("Under load every event is there once, in the order of its number, whoever had to wait")
    func load() {
        let recorder = Self.recorder(.wait(max: .seconds(10)))
        let each = 2000
        let group = DispatchGroup()
        recorder.drainBegins()
        for _ in 0..<4 {
            group.enter()
            Thread.detachNewThread {
                for _ in 0..<each { Self.note(recorder) }
                group.leave()
            }
        }
        var seqs: [UInt64] = []
        while seqs.count < 4 * each { if let event = recorder.takeEvent() { seqs.append(event.seq) } }
        group.wait()
        #expect(seqs == (1...UInt64(4 * each)).map { $0 })
        #expect(recorder.accounting.dropped == 0)
    }
}
