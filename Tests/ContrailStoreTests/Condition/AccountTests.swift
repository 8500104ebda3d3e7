// The account of events: exact at any moment, whoever looks.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import Synchronization
import Testing

@Suite("The account", .timeLimit(.minutes(5)))
struct AccountTests {
    private final class Counter: Sendable {
        private let count = Atomic<Int>(0)

        var value: Int { self.count.load(ordering: .relaxed) }

        func add() { self.count.wrappingAdd(1, ordering: .relaxed) }
    }

    /// Runs the closure on so many threads, and another beside them until they are done.
    private func onThreads(
        _ count: Int,
        _ body: @escaping @Sendable () -> Void,
        beside other: @escaping @Sendable () -> Void
    ) async {
        let group = DispatchGroup()
        for _ in 0..<count {
            group.enter()
            Thread.detachNewThread {
                body()
                group.leave()
            }
        }
        // Not on a thread that other tests need.
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                repeat { other() } while group.wait(timeout: .now() + .milliseconds(1)) == .timedOut
                continuation.resume()
            }
        }
    }

    @Test(
        "At any instant what waits is what was produced and is neither stored nor lost, and never more than the ring holds"
    )
    func anyInstant() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open { $0.recorder.capacity = 128 }
        let app = App("shop", recorder: trail.recorder)
        let looks = Counter()
        await self.onThreads(4) {
            for _ in 0..<2000 { withAppContext(app) { $0.g["n"] = 1 } }
        } beside: {
            let status = trail.status
            let accounting = status.accounting
            // The threads and the drain may each be about to store one more, or to count one more as dropped.
            #expect(accounting.buffered <= 128 + 8)
            #expect(accounting.stored + accounting.dropped <= accounting.produced)
            looks.add()
        }
        #expect(looks.value > 0)
        trail.close()
        #expect(trail.recorder.accounting.dropped > 0)
        try directory.expectClosedAccount(trail)
        #expect(try directory.causes() == ["ring_full"])
    }

    @Test("Those who may wait lose nothing while the drain keeps up, however small the ring is")
    func waiting() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open {
            $0.recorder.capacity = 64
            $0.recorder.overflow = .wait(max: .seconds(10))
        }
        let app = App("shop", recorder: trail.recorder)
        // Nobody waits for a drain that has not begun.
        await trail.flush()
        await self.onThreads(4) {
            for _ in 0..<500 { withAppContext(app) { _ in } }
        } beside: {
        }
        trail.close()
        #expect(trail.recorder.accounting.dropped == 0)
        try directory.expectClosedAccount(trail)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 2000)
    }

    @Test("A ring whose names are all taken records everything all the same, and says so once")
    func names() async throws {
        let directory = try TemporaryTrail()
        let log = LineLog()
        let trail = try directory.open {
            $0.recorder.capacity = 2048
            $0.logger = log.logger
        }
        let app = App("shop", recorder: trail.recorder)
        withAppContext(app) { context in
            for number in 0..<1000 { context.g["a rather long name of a key, number \(number)"] = number }
        }
        await trail.flush()
        #expect(trail.status.ring.namesFill == 1)
        trail.close()
        #expect(log.count("no room for more names") == 1)
        try directory.expectClosedAccount(trail)
        let names = "SELECT count(DISTINCT name) FROM events WHERE kind = 'g_set'"
        #expect(
            try directory.integer(names).map(UInt64.init).map { $0 + trail.recorder.accounting.dropped } ?? 0 >= 1000
        )
    }
}
