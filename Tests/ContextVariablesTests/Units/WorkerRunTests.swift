// Running units on workers: which worker hosts the code, and what a unit leaves behind.

import ContextVariables
import Dispatch
import TestSupport
import Testing

@Suite("Running units")
struct WorkerRunTests {
    private let worker = Worker(kind: "job:mail", number: 0)
    private let cache = RecyclableVariable<Int>("cache")

    @Test("A task that no worker hosts has none.")
    func noWorker() throws {
        #expect(Worker.current == nil)
        try inUnit { () throws in #expect(Worker.current == nil) }
    }

    @Test("A bare thread is hosted by a worker of its own, the same at each access.")
    func bareThread() async throws {
        let names = try await onThread {
            let worker = try #require(Worker.current)
            #expect(worker === Worker.current)
            #expect(worker.epoch == nil)
            return (worker.name, ThreadState.current.threadID)
        }
        #expect(names.0 == Worker.Name(kind: "thread", number: names.1))
    }

    @Test("A run hosts its code, and its child tasks, on the worker.")
    func hosts() async throws {
        try await self.worker.run { () async throws in
            #expect(Worker.current === self.worker)
            async let child = Worker.current === self.worker
            #expect(await child)
        }
        #expect(Worker.current == nil)
    }

    @Test("Each run is a unit: it begins with nothing, and its values are released when it ends.")
    func units() throws {
        let held = RecyclableVariable<Probe>("held")
        let died = Counter()
        for number in 1...3 {
            try self.worker.run { () throws in
                #expect(code { _ = try held.get() } == .neverSet)
                try held.set(Probe { died.next() })
                #expect(died.value == number - 1)
            }
            #expect(died.value == number)
        }
    }

    @Test("A run that throws ends its unit too, and its error leaves typed.")
    func throwing() {
        struct Boom: Error, Equatable {}
        let error = #expect(throws: Boom.self) { try self.worker.run { () throws(Boom) in throw Boom() } }
        #expect(error == Boom())
        #expect(self.worker.currentUnit().isEnded == false)
    }

    @Test("A recycle in a run takes its code to the next unit at once, also where it is suspended in a child.")
    func recycleInside() async throws {
        let recycled = Gate()
        try await self.worker.run { () async throws in
            try self.cache.set(1)
            async let child = { () async -> RecyclableMiss? in
                await recycled.wait()
                return self.cache.miss
            }()
            let recycling = Worker.current?.recycle()
            recycled.open()
            #expect(await child == recycling.map { .neverSet(epoch: $0.after) })
            try self.cache.set(2)
            #expect(try self.cache.get() == 2)
            #expect(recycling?.variablesDropped == 1)
        }
        #expect(self.worker.recycle().variablesDropped == 1)
    }

    @Test("A scope of variables inside a run follows the worker as well.")
    func variablesFollow() throws {
        let variable = ContextVariable("n", default: 0)
        try self.worker.run { () throws in
            try variable.withValue(1) { () throws in
                try self.cache.set(1)
                self.worker.recycle()
                #expect(code { _ = try self.cache.get() } == .neverSet)
                try self.cache.set(2)
            }
            #expect(try self.cache.get() == 2)
        }
    }

    @Test("A run inside a run of the same worker is a unit of its own, and its recycle leaves the outer one alone.")
    func nested() throws {
        try self.worker.run { () throws in
            try self.cache.set(1)
            try self.worker.run { () throws in
                #expect(code { _ = try self.cache.get() } == .neverSet)
                try self.cache.set(2)
                #expect(Worker.current !== self.worker)
                #expect(Worker.current?.name == self.worker.name)
                Worker.current?.recycle()
                #expect(code { _ = try self.cache.get() } == .neverSet)
                #expect(Worker.current === Worker.current)
            }
            #expect(try self.cache.get() == 1)
            #expect(Worker.current === self.worker)
        }
    }

    @Test("A run on a worker whose unit a scope around it follows is a unit of its own.")
    func insideAFollower() throws {
        let scope = Scope(owner: ExecutionID.current, branch: VariableBranch(), worker: self.worker, layers: nil)
        try scope.run { () throws in
            try self.cache.set(1)
            try self.worker.run { () throws in #expect(code { _ = try self.cache.get() } == .neverSet) }
            #expect(try self.cache.get() == 1)
        }
    }

    @Test("What a run sets in context variables ends with it.")
    func variables() throws {
        let variable = ContextVariable("n", default: 0)
        try variable.withValue(1) { () throws in
            try self.worker.run { () throws in
                #expect(try variable.get() == 1)
                try variable.set(2)
            }
            #expect(try variable.get() == 1)
        }
    }

    @Test("Blocks of a serial queue are units of the queue's worker.")
    func serialQueue() async throws {
        let queue = DispatchQueue(label: "mail")
        let cache = self.cache
        let worker = self.worker
        var seen: [Int] = []
        for number in 1...3 {
            seen.append(
                await withCheckedContinuation { continuation in
                    queue.async {
                        let before = worker.run { () -> Int in
                            defer { try? cache.set(number) }
                            return cache.get(default: 0)
                        }
                        continuation.resume(returning: before)
                    }
                }
            )
        }
        #expect(seen == [0, 0, 0])
    }

    @Test("A block on a pool thread is a unit of the thread's worker, and leaves nothing to the next one.")
    func concurrentQueue() async throws {
        let cache = self.cache
        let seen = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        DispatchQueue.global().async {
                            let before = Worker.current?.run { () -> Int in
                                defer { try? cache.set(1) }
                                return cache.get(default: 0)
                            }
                            continuation.resume(returning: before ?? -1)
                        }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(seen == 0)
    }

    @Test("Another worker's recycle does not touch a unit that is running.")
    func otherWorker() throws {
        let other = Worker(kind: "job:mail", number: 1)
        try self.worker.run { () throws in
            try self.cache.set(1)
            _ = other.run { other.recycle() }
            #expect(try self.cache.get() == 1)
        }
    }

    @Test("A handle reads, sets and says why it misses, and stays with its unit.")
    func handle() throws {
        #expect(UnitVariables.current.miss(of: self.cache) == .outsideUnit)
        #expect(code { try UnitVariables.current.set(self.cache, 1) } == .outsideUnit)
        try self.worker.run { () throws in
            let variables = UnitVariables.current
            #expect(variables[self.cache] == nil)
            #expect(code { _ = try variables.get(self.cache) } == .neverSet)
            try variables.set(self.cache, 1)
            #expect(variables[self.cache] == 1)
            #expect(try variables.get(self.cache) == self.cache.get())
            let recycling = self.worker.recycle()
            #expect(variables[self.cache] == nil)
            #expect(code { _ = try variables.get(self.cache) } == .recycled)
            #expect(variables.miss(of: self.cache) == recycling.before.map { .recycled(epoch: $0) })
            #expect(code { try variables.set(self.cache, 2) } == .recycled)
            #expect(self.cache.get(default: 0) == 0)
        }
    }

    @Test("A stored nil is a value to a handle, and to a proxy and a snapshot nothing else.")
    func storedNil() throws {
        let maybe = RecyclableVariable<Int?>("maybe")
        try self.worker.run { () throws in
            #expect(UnitVariables.current[maybe] == Int??.none)
            try maybe.set(nil)
            #expect(UnitVariables.current[maybe] == Int??.some(nil))
        }
    }

    @Test("Many variables in one unit keep their values apart through sets and removals.")
    func manyVariables() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("many variables, seed \(seed)")
        var random = SeededRandom(seed: seed)
        let variables = (0..<40).map { RecyclableVariable<Int>("v\($0)") }
        var model: [Int: Int] = [:]
        try self.worker.run { () throws in
            for step in 0..<20_000 {
                let number = Int.random(in: 0..<40, using: &random)
                if Bool.random(using: &random) {
                    try variables[number].set(step)
                    model[number] = step
                } else {
                    variables[number].invalidate()
                    model[number] = nil
                }
                let probe = Int.random(in: 0..<40, using: &random)
                guard variables[probe].get(default: -1) == model[probe] ?? -1 else {
                    Issue.record("seed \(seed), step \(step)")
                    return
                }
            }
            for number in 0..<40 { #expect(UnitVariables.current[variables[number]] == model[number]) }
        }
    }
}
