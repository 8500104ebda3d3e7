// The lock of the tables: nothing is lost under it, and a holder that keeps it is waited for without burning a processor.

import ContextVariables
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("The brief lock")
struct BriefLockTests {
    /// A number that only the lock protects.
    private final class Guarded: Sendable {
        private let number = BriefLock(0)

        func add(_ pause: () -> Void) {
            self.number.withLock { number in
                self.turns.add(1, ordering: .relaxed)
                let read = number
                pause()
                number = read + 1
            }
        }

        /// How often anybody had the lock, about.
        var unguarded: Int { self.turns.load(ordering: .relaxed) }
        private let turns = Atomic<Int>(0)

        var value: Int { self.number.withLock { $0 } }
    }

    @Test("Of what eight threads add, some giving up their turn inside, nothing is lost.")
    func nothingIsLost() async throws {
        let guarded = Guarded()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask {
                    try await onThread {
                        for turn in 0..<5_000 {
                            guarded.add { if turn % 500 == thread { _ = sched_yield() } }
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(guarded.value == 40_000)
    }

    @Test("Who waits for a holder that keeps the lock sleeps most of the time.")
    func waitsAsleep() async throws {
        let guarded = Guarded()
        let isHeld = Gate()
        let isWaiting = DispatchSemaphore(value: 0)
        async let holder: Void = onThread {
            guarded.add {
                isHeld.open()
                isWaiting.wait()
                // Not to wait for anything: this is the time that is measured.
                usleep(400_000)
            }
        }
        await isHeld.wait()
        let spent = try await onThread {
            ThreadTime.of {
                isWaiting.signal()
                guarded.add {}
            }.time
        }
        try await holder
        #expect(guarded.value == 2)
        #expect(spent < .milliseconds(200), "of 0.4 s that the lock was held")
    }

    @Test("Who waits is let in, also when the holder takes the lock again at once.")
    func isNotOvertakenForEver() async throws {
        let guarded = Guarded()
        let isOver = Counter()
        let isHeld = Gate()
        let overtaken = try await withThrowingTaskGroup(of: [Int].self) { group in
            group.addTask {
                try await onThread {
                    while isOver.value == 0 {
                        // Not to wait for anything: this is how long the holder keeps it.
                        guarded.add {
                            isHeld.open()
                            usleep(500)
                        }
                    }
                    return []
                }
            }
            await isHeld.wait()
            group.addTask {
                try await onThread {
                    let counts = (0..<20).map { _ in
                        let before = guarded.unguarded
                        guarded.add {}
                        return guarded.unguarded - before - 1
                    }
                    isOver.next()
                    return counts
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // Once it slept the holder lets it pass; before, and on a busy machine, it may be overtaken.
        #expect(overtaken.count == 20 && overtaken.reduce(0, +) < 400, "\(overtaken)")
    }
}
