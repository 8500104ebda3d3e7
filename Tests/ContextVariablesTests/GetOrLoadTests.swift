// getOrLoad: one load for all who ask, and only success is published.

import ContextVariables
import TestSupport
import Testing

@Suite("getOrLoad")
struct GetOrLoadTests {
    private struct Boom: Error, Equatable {}

    private let cache = RecyclableVariable<Int>("cache")

    @Test("Sixty-four tasks that ask at once cause one load.")
    func singleFlight() async throws {
        let loads = Counter()
        let arrived = Counter()
        let everybody = Gate()
        let values = try await inUnit { () async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<64 {
                    group.addTask {
                        if arrived.next() == 64 { everybody.open() }
                        return try await self.cache.getOrLoad {
                            await everybody.wait()
                            return loads.next()
                        }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(values == Array(repeating: 1, count: 64))
        #expect(loads.value == 1)
    }

    @Test("A value that is there is not loaded.")
    func present() async throws {
        try await inUnit { () async throws in
            try self.cache.set(1)
            let value = try await self.cache.getOrLoad {
                Issue.record("loaded")
                return 2
            }
            #expect(value == 1)
        }
    }

    @Test("A failed load publishes nothing, and whoever waited tries again.")
    func failedLoad() async throws {
        let loading = Gate()
        let fail = Gate()
        try await inUnit { () async throws in
            async let first = self.cache.getOrLoad {
                loading.open()
                await fail.wait()
                throw Boom()
            }
            await loading.wait()
            async let second = self.cache.getOrLoad { 7 }
            #expect(code { _ = try self.cache.get() } == .neverSet)
            fail.open()
            do {
                _ = try await first
                Issue.record("the first load did not throw")
            } catch {
                #expect(error is Boom)
            }
            #expect(try await second == 7)
            #expect(try self.cache.get() == 7)
        }
    }

    @Test("A cancelled load frees the slot.")
    func cancelledLoad() async throws {
        let loading = Gate()
        try await inUnit { () async throws in
            let task = Task {
                try await self.cache.getOrLoad {
                    loading.open()
                    while !Task.isCancelled { await Task.yield() }
                    throw CancellationError()
                }
            }
            await loading.wait()
            task.cancel()
            #expect(try await self.cache.getOrLoad { 3 } == 3)
            await #expect(throws: CancellationError.self) { _ = try await task.value }
        }
    }

    @Test("Outside a unit nothing is loaded.")
    func outsideUnit() async {
        let error = await #expect(throws: VariableError.self) {
            _ = try await self.cache.getOrLoad {
                Issue.record("loaded")
                return 1
            }
        }
        #expect(error?.code == .outsideUnit)
    }

    @Test("When the unit ends while a load is under way, the loader gets its value and everybody else the reason.")
    func unitEndsWhileLoading() async throws {
        let unit = WorkUnit()
        let loading = Gate()
        let finish = Gate()
        try await inUnit(unit) { () async throws in
            async let first = self.cache.getOrLoad {
                loading.open()
                await finish.wait()
                return 1
            }
            await loading.wait()
            async let waiter = self.codeOfLoad()
            unit.end()
            #expect(await waiter == .recycled)
            finish.open()
            #expect(try await first == 1)
            #expect(self.cache.miss == .recycled(epoch: unit.epoch))
        }
    }

    private func codeOfLoad() async -> VariableError.Code? {
        do {
            _ = try await self.cache.getOrLoad { 2 }
            return nil
        } catch {
            return (error as? VariableError)?.code
        }
    }

    @Test("A value that is set during a load wins and wakes those who wait.")
    func setDuringLoad() async throws {
        let loading = Gate()
        let finish = Gate()
        try await inUnit { () async throws in
            async let first = self.cache.getOrLoad {
                loading.open()
                await finish.wait()
                return 1
            }
            await loading.wait()
            async let waiter = self.cache.getOrLoad { 3 }
            try self.cache.set(2)
            #expect(try await waiter == 2)
            finish.open()
            #expect(try await first == 1)
            #expect(try self.cache.get() == 2)
        }
    }

    @Test("A load that was invalidated publishes nothing, and does not disturb the one that came after it.")
    func invalidatedLoad() async throws {
        let firstLoads = Gate()
        let secondLoads = Gate()
        let finishFirst = Gate()
        let finishSecond = Gate()
        try await inUnit { () async throws in
            async let first = self.cache.getOrLoad {
                firstLoads.open()
                await finishFirst.wait()
                return 1
            }
            await firstLoads.wait()
            self.cache.invalidate()
            async let second = self.cache.getOrLoad {
                secondLoads.open()
                await finishSecond.wait()
                return 2
            }
            await secondLoads.wait()
            finishFirst.open()
            #expect(try await first == 1)
            #expect(code { _ = try self.cache.get() } == .neverSet)
            finishSecond.open()
            #expect(try await second == 2)
            #expect(try self.cache.get() == 2)
        }
    }

    @Test("A loaded nil is a value and is not loaded again.")
    func loadedNil() async throws {
        let maybe = RecyclableVariable<Int?>("maybe")
        try await inUnit { () async throws in
            #expect(try await maybe.getOrLoad { nil } == nil)
            #expect(try await maybe.getOrLoad { 1 } == nil)
        }
    }

    @Test("Random readers, writers and invalidators leave nobody waiting.")
    func stress() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("getOrLoad stress, seed \(seed)")
        try await inUnit { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<32 {
                    group.addTask {
                        var random = SeededRandom(seed: seed &+ UInt64(number))
                        for _ in 0..<200 {
                            switch random.next() % 8 {
                            case 0: self.cache.invalidate()
                            case 1: try self.cache.set(number)
                            case 2: _ = try? await self.cache.getOrLoad { throw Boom() }
                            default:
                                let value = try await self.cache.getOrLoad {
                                    await Task.yield()
                                    return number
                                }
                                #expect((0..<32).contains(value), "seed \(seed)")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
