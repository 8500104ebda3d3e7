// The recorder: numbers, levels, and an account that is exact also when the buffer overflows.

import ContrailRecorder
import Testing

/// Records an event that takes one slot.
private func note(_ recorder: FlightRecorder) {
    recorder.recordRecycle(RecordHead(epoch: 2), before: 1, variablesDropped: 0)
}

/// Produced, stored, dropped.
private func figures(_ recorder: FlightRecorder) -> [UInt64] {
    let accounting = recorder.accounting
    return [accounting.produced, accounting.stored, accounting.dropped]
}

@Suite("The flight recorder")
struct FlightRecorderTests {
    @Test("Events are numbered from 1, in the order in which they happened.")
    func numbers() {
        let recorder = FlightRecorder()
        for _ in 0..<3 { note(recorder) }
        #expect([recorder.takeEvent()?.seq, recorder.takeEvent()?.seq, recorder.takeEvent()?.seq] == [1, 2, 3])
        #expect(recorder.takeEvent() == nil)
    }

    @Test("The level tells whether anything is to be recorded, and may be changed at any time.")
    func off() {
        let recorder = FlightRecorder(configuration: .init(level: .off))
        #expect(!recorder.isRecording)
        recorder.recordRunStart()
        #expect(recorder.takeEvent() == nil)
        #expect(figures(recorder) == [0, 0, 0])
        recorder.level = .lifecycle
        #expect(recorder.isRecording)
        recorder.recordRunStart()
        #expect(recorder.takeEvent()?.kind == .runStart)
        recorder.level = .off
        #expect(!recorder.isRecording)
    }

    @Test("What is taken keeps its slots until it is freed, and counts as stored from then on.")
    func batches() {
        let recorder = FlightRecorder(configuration: .init(capacity: 4))
        for _ in 0..<4 { note(recorder) }
        let batch = recorder.take(atMost: 3)
        #expect(batch.events.map(\.seq) == [1, 2, 3])
        note(recorder)
        #expect(figures(recorder) == [5, 0, 1])
        #expect(recorder.slotsInUse == 4)
        recorder.free(batch)
        #expect(figures(recorder) == [5, 3, 1])
        #expect(recorder.slotsInUse == 1)
        note(recorder)
        #expect(recorder.take(atMost: 10).events.map(\.seq) == [4, 6])
    }

    @Test("A full ring drops, and the dropped number is a gap.")
    func overflow() {
        let recorder = FlightRecorder(configuration: .init(capacity: 4))
        for _ in 0..<6 { note(recorder) }
        #expect(recorder.takeEvent()?.seq == 1)
        note(recorder)
        var taken: [UInt64] = []
        while let event = recorder.takeEvent() { taken.append(event.seq) }
        #expect(taken == [2, 3, 4, 7])
        let drop = recorder.takeDrops()
        #expect(drop?.count == 2)
        #expect(drop?.firstSeq == 5)
        #expect(drop?.lastSeq == 6)
        #expect(recorder.takeDrops() == nil)
    }

    @Test("Produced is stored and dropped and buffered, at every step.")
    func identity() {
        let recorder = FlightRecorder(configuration: .init(capacity: 4))
        for _ in 0..<6 { note(recorder) }
        #expect(figures(recorder) == [6, 0, 2])
        #expect(recorder.accounting.buffered == 4)
        while recorder.takeEvent() != nil {}
        #expect(figures(recorder) == [6, 4, 2])
        #expect(recorder.accounting.buffered == 0)
        _ = recorder.makeDrainEvent(.runEnd)
        #expect(recorder.accounting.buffered == 1)
    }

    @Test("With nobody draining, many tasks record far more than fits without waiting, and every loss is counted.")
    func overflowUnderLoad() async {
        let recorder = FlightRecorder(configuration: .init(capacity: 64))
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 { group.addTask { for _ in 0..<2000 { note(recorder) } } }
        }
        var taken: UInt64 = 0
        while recorder.takeEvent() != nil { taken += 1 }
        #expect(taken == 64)
        #expect(recorder.accounting.produced == 16_000)
        #expect(recorder.accounting.dropped == 16_000 - 64)
        #expect(recorder.takeDrops()?.count == 16_000 - 64)
    }

    @Test("While a drain takes, produced is exactly taken and dropped, and the reported ranges cover every gap.")
    func drainUnderLoad() async {
        let recorder = FlightRecorder(configuration: .init(capacity: 32))
        let producers = 4
        let each: UInt64 = 5000
        let isDone = DoneFlag()
        async let drained = drain(recorder, until: isDone)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<producers {
                group.addTask {
                    for count in 0..<each {
                        note(recorder)
                        if count % 64 == 0 { await Task.yield() }
                    }
                }
            }
        }
        await isDone.set()
        let (taken, drops) = await drained
        let produced = UInt64(producers) * each
        #expect(recorder.accounting.produced == produced)
        #expect(UInt64(taken.count) + drops.reduce(0) { $0 + $1.count } == produced)
        #expect(recorder.accounting.dropped == drops.reduce(0) { $0 + $1.count })
        let seen = Set(taken)
        #expect(seen.count == taken.count)
        for seq in 1...produced where !seen.contains(seq) {
            #expect(drops.contains { $0.firstSeq <= seq && seq <= $0.lastSeq }, "no report covers \(seq)")
        }
        for drop in drops { #expect(drop.firstSeq >= 1 && drop.lastSeq <= produced && drop.firstSeq <= drop.lastSeq) }
    }

    private func drain(
        _ recorder: FlightRecorder,
        until isDone: DoneFlag
    ) async -> (taken: [UInt64], drops: [TrailEvent.Drop]) {
        var taken: [UInt64] = []
        var drops: [TrailEvent.Drop] = []
        while true {
            let isLast = await isDone.value
            while let event = recorder.takeEvent() { taken.append(event.seq) }
            if let drop = recorder.takeDrops() { drops.append(drop) }
            if isLast { return (taken, drops) }
            await Task.yield()
        }
    }

    private actor DoneFlag {
        var value = false

        func set() { self.value = true }
    }

    @Test("Ordinals of lifetimes are unique over all threads.")
    func ordinals() async {
        let recorder = FlightRecorder()
        let ordinals = await withTaskGroup(of: [UInt32].self) { group in
            for _ in 0..<8 { group.addTask { (0..<500).map { _ in recorder.nextOrdinal() } } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(ordinals) == Set(1...4000))
    }

    @Test("Every kind has a code of its own and a name of its own.")
    func kinds() {
        #expect(Set(EventKind.all.map(\.code)).count == EventKind.all.count)
        #expect(Set(EventKind.all.map(\.name)).count == EventKind.all.count)
    }
}

@Suite("The ledger of drops")
struct DropLedgerTests {
    @Test("A report names the lowest and the highest number, and the next begins anew.")
    func reports() {
        let ledger = DropLedger()
        for seq in [9, 4, 6] as [UInt64] { ledger.add(seq: seq, kind: .mark) }
        let first = ledger.take()
        #expect(first?.count == 3)
        #expect(first?.firstSeq == 4)
        #expect(first?.lastSeq == 9)
        ledger.add(seq: 12, kind: .gSet)
        let second = ledger.take()
        #expect(second?.firstSeq == 12)
        #expect(second?.lastSeq == 12)
        #expect(second.map { EventKind.kinds(in: $0.kinds) } == [.gSet])
        #expect(ledger.take() == nil)
        #expect(ledger.count == 4)
    }

    @Test("Reports taken in the middle of drops count exactly and stay within the numbers there were.")
    func concurrentReports() async {
        let ledger = DropLedger()
        let total: UInt64 = 40_000
        let drops = await withTaskGroup(of: [TrailEvent.Drop].self) { group in
            for first in 1...4 as ClosedRange<UInt64> {
                group.addTask {
                    for seq in stride(from: first, through: total, by: 4) { ledger.add(seq: seq, kind: .mark) }
                    return []
                }
            }
            group.addTask {
                var drops: [TrailEvent.Drop] = []
                while drops.reduce(0, { $0 + $1.count }) < total {
                    if let drop = ledger.take() { drops.append(drop) } else { await Task.yield() }
                }
                return drops
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(ledger.take() == nil)
        #expect(drops.reduce(0) { $0 + $1.count } == total)
        // Each number was noted once, so no report can repeat another's bound.
        #expect(Set(drops.map(\.firstSeq)).count == drops.count)
        #expect(Set(drops.map(\.lastSeq)).count == drops.count)
        #expect(drops.allSatisfy { $0.lastSeq - $0.firstSeq + 1 >= $0.count && $0.kinds == EventKind.mark.bit })
        for drop in drops {
            #expect(drop.firstSeq >= 1)
            #expect(drop.lastSeq <= total)
            #expect(drop.firstSeq <= drop.lastSeq)
        }
    }
}
