// The queue between the threads that record and the one that drains.

import ContrailRecorder
import Testing

func event(_ seq: UInt64, thread: Int64? = nil) -> TrailEvent {
    TrailEvent(
        seq: seq,
        monotonicNanoseconds: 0,
        thread: thread,
        worker: nil,
        epoch: nil,
        context: nil,
        body: .runStart
    )
}

@Suite("The event queue")
struct EventQueueTests {
    @Test("The capacity is rounded up to a power of two.", arguments: [(0, 2), (2, 2), (3, 4), (1000, 1024)])
    func capacity(asked: Int, given: Int) {
        #expect(EventQueue(capacity: asked).capacity == given)
    }

    @Test("Events come out in the order in which they went in, over many rounds.")
    func order() {
        let queue = EventQueue(capacity: 4)
        var expected: UInt64 = 0
        for seq in 1...1000 as ClosedRange<UInt64> {
            #expect(queue.append(event(seq)))
            if seq % 3 == 0 {
                while let event = queue.popFirst() {
                    expected += 1
                    #expect(event.seq == expected)
                }
            }
        }
        #expect(expected == 999)
    }

    @Test("A full queue refuses, and takes again when one was taken.")
    func full() {
        let queue = EventQueue(capacity: 2)
        #expect(queue.append(event(1)))
        #expect(queue.append(event(2)))
        #expect(!queue.append(event(3)))
        #expect(queue.count == 2)
        #expect(queue.popFirst()?.seq == 1)
        #expect(queue.append(event(4)))
        #expect(queue.popFirst()?.seq == 2)
        #expect(queue.popFirst()?.seq == 4)
        #expect(queue.popFirst() == nil)
        #expect(queue.count == 0)
    }

    @Test("With several producers nothing is lost or doubled, and each producer's order is kept.")
    func producers() async {
        let producers = 6
        let each: UInt64 = 5000
        let queue = EventQueue(capacity: 64)
        let taken = await withTaskGroup(of: [TrailEvent]?.self) { group in
            for producer in 0..<producers {
                group.addTask {
                    for seq in 1...each {
                        while !queue.append(event(seq, thread: Int64(producer))) { await Task.yield() }
                    }
                    return nil
                }
            }
            group.addTask {
                var taken: [TrailEvent] = []
                while taken.count < producers * Int(each) {
                    if let event = queue.popFirst() { taken.append(event) } else { await Task.yield() }
                }
                return taken
            }
            return await group.reduce(into: []) { $0 += $1 ?? [] }
        }
        for producer in 0..<producers {
            #expect(taken.filter { $0.thread == Int64(producer) }.map(\.seq) == Array(1...each))
        }
        #expect(queue.popFirst() == nil)
    }
}
