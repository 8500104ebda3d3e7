// Recyclable variables: where their values live, why a read misses, and when they are released.

import ContextVariables
import Testing

@Suite("Recyclable variables")
struct RecyclableVariableTests {
    private let cache = RecyclableVariable<Int>("cache")

    @Test("Outside a unit there is nothing to read and nowhere to set.")
    func outsideUnit() throws {
        #expect(self.cache.miss == .outsideUnit)
        #expect(code { _ = try self.cache.get() } == .outsideUnit)
        #expect(code { try self.cache.set(1) } == .outsideUnit)
        #expect(self.cache.get(default: 7) == 7)
        try inUnit(nil) { () throws in #expect(self.cache.miss == .outsideUnit) }
    }

    @Test("In a unit that did not set it, it was never set.")
    func neverSet() throws {
        let unit = WorkUnit()
        try inUnit(unit) { () throws in
            #expect(self.cache.miss == .neverSet(epoch: unit.epoch))
            let error = #expect(throws: VariableError.self) { try self.cache.get() }
            #expect(error?.code == .neverSet)
            #expect(error?.message.contains("epoch \(unit.epoch)") == true)
        }
    }

    @Test("After its unit ended it was recycled, and cannot be set.")
    func recycled() throws {
        let unit = WorkUnit()
        try inUnit(unit) { () throws in
            try self.cache.set(1)
            unit.end()
            #expect(self.cache.miss == .recycled(epoch: unit.epoch))
            #expect(code { _ = try self.cache.get() } == .recycled)
            #expect(code { try self.cache.set(2) } == .recycled)
        }
    }

    @Test("Setting one variable does not validate another.")
    func independence() throws {
        let other = RecyclableVariable<Int>("cache")
        try inUnit { () throws in
            try self.cache.set(1)
            #expect(code { _ = try other.get() } == .neverSet)
        }
    }

    @Test("A value of an earlier epoch never becomes valid again.")
    func noRollback() throws {
        let worker = Worker(kind: "job", number: 1)
        for _ in 0..<3 {
            worker.recycle()
            try inUnit(worker.currentUnit()) {
                #expect(code { _ = try self.cache.get() } == .neverSet)
                try self.cache.set(1)
            }
        }
    }

    @Test("The children of a unit share its values.")
    func childrenShare() async throws {
        try await inUnit { () async throws in
            try self.cache.set(1)
            async let child: Void = self.cache.set(2)
            try await child
            #expect(try self.cache.get() == 2)
        }
    }

    @Test("invalidate forgets the value.")
    func invalidate() throws {
        try inUnit { () throws in
            try self.cache.set(1)
            self.cache.invalidate()
            #expect(code { _ = try self.cache.get() } == .neverSet)
            self.cache.invalidate()
        }
        self.cache.invalidate()
    }

    @Test("A stored nil is a value, an unset optional is a miss.")
    func optionalValues() throws {
        let maybe = RecyclableVariable<Int?>("maybe")
        try inUnit { () throws in
            #expect(code { _ = try maybe.get() } == .neverSet)
            #expect(maybe.get(default: 5) == 5)
            try maybe.set(nil)
            #expect(maybe.miss == nil)
            #expect(try maybe.get() == nil)
            #expect(maybe.get(default: 5) == nil)
        }
    }

    @Test("Values are released when the unit ends, though the variable and the scope live on.")
    func released() throws {
        let held = RecyclableVariable<Probe>("held")
        let unit = WorkUnit()
        weak var probe: Probe?
        try inUnit(unit) { () throws in
            do {
                let made = Probe()
                probe = made
                try held.set(made)
            }
            #expect(probe != nil)
            #expect(unit.end() == 1)
            #expect(probe == nil)
        }
        #expect(unit.end() == 1)
    }

    @Test("A replaced or forgotten value dies outside the lock: its deinit may read the variable.")
    func deinitMayRead() throws {
        let held = RecyclableVariable<Probe>("held")
        try inUnit { () throws in
            try held.set(Probe { _ = held.miss })
            try held.set(Probe { _ = held.miss })
            held.invalidate()
            #expect(code { _ = try held.get() } == .neverSet)
        }
    }

    @Test("A bare thread is a worker of its own, named after the kernel's id of the thread.")
    func bareThread() async throws {
        let cache = self.cache
        let (name, id, value) = try await onThread {
            #expect(cache.miss == .outsideUnit)
            _ = Scope.threadRoot(for: ExecutionID.current)
            try cache.set(3)
            let unit = Scope.current?.unit
            return (unit?.worker.description, ThreadState.current.threadID, try cache.get())
        }
        #expect(name == "thread:\(id)")
        #expect(value == 3)
    }

    @Test("A bare thread that recycles stays usable.")
    func bareThreadRecycles() async throws {
        let cache = self.cache
        try await onThread {
            _ = Scope.threadRoot(for: ExecutionID.current)
            try cache.set(1)
            let claim = ThreadState.current.worker.claimUnit()
            #expect(code { _ = try cache.get() } == .neverSet)
            ThreadState.current.worker.releaseUnit(claim.unit)
            try cache.set(2)
            #expect(try cache.get() == 2)
        }
    }

    @Test("A scope of variables on a bare thread is in the thread's unit.")
    func variablesOnABareThread() async throws {
        let cache = self.cache
        let variable = ContextVariable("n", default: 0)
        let value = try await onThread {
            try variable.withValue(1) { try cache.set(4) }
            return try cache.get()
        }
        #expect(value == 4)
    }
}
