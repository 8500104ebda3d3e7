// Snapshots of variables: a branch of their own, run by one caller at a time.

import ContextVariables
import Testing

@Suite("Variable snapshots")
struct SnapshotTests {
    private let variable = ContextVariable("n", default: 0)

    @Test("A snapshot shows the values of the moment it was taken.")
    func showsTheMoment() throws {
        try self.variable.withValue(1) { () throws in
            let snapshot = VariableSnapshot()
            try self.variable.set(2)
            #expect(try snapshot.run { try self.variable.get() } == 1)
        }
    }

    @Test("Changes inside stay in the snapshot and are there the next time.")
    func changesStayInside() throws {
        try self.variable.withValue(1) { () throws in
            let snapshot = VariableSnapshot()
            _ = try snapshot.run { try self.variable.set(2) }
            #expect(try self.variable.get() == 1)
            #expect(try snapshot.run { try self.variable.get() } == 2)
        }
    }

    @Test("A snapshot reaches a detached task.")
    func detached() async throws {
        let snapshot = self.variable.withValue(1) { VariableSnapshot() }
        let seen = try await Task.detached {
            try await snapshot.run {
                await Task.yield()
                return try self.variable.get()
            }
        }.value
        #expect(seen == 1)
    }

    @Test("A snapshot is not entered twice, and is free again after a run, also after one that threw.")
    func reentry() async throws {
        struct Boom: Error {}
        let snapshot = VariableSnapshot()
        try snapshot.run { () throws in
            #expect(code { try snapshot.run {} } == .snapshotEntered)
        }
        #expect(throws: Boom.self) { try snapshot.run { throw Boom() } }
        try snapshot.run {}
    }

    @Test("Another task cannot enter a snapshot that is being run.")
    func concurrentEntry() async throws {
        let snapshot = VariableSnapshot()
        let entered = Gate()
        let leave = Gate()
        async let running: Void = snapshot.run {
            entered.open()
            await leave.wait()
        }
        await entered.wait()
        #expect(code { try snapshot.run {} } == .snapshotEntered)
        leave.open()
        try await running
    }

    @Test("A snapshot carries recyclable values and their epoch, as a branch of its own.")
    func recyclables() throws {
        let cache = RecyclableVariable<Int>("cache")
        let unit = WorkUnit()
        try inUnit(unit) { () throws in
            try cache.set(1)
            let snapshot = VariableSnapshot()
            try snapshot.run { () throws in
                #expect(try cache.get() == 1)
                #expect(Scope.current?.unit?.epoch == unit.epoch)
                try cache.set(2)
            }
            #expect(try cache.get() == 1)
            unit.end()
            #expect(code { _ = try cache.get() } == .recycled)
            #expect(try snapshot.run { try cache.get() } == 2)
            #expect(code { _ = try cache.get() } == .recycled)
        }
    }

    @Test("A snapshot that was taken outside any unit shows none of the units it is run in, and has its own.")
    func outside() throws {
        let cache = RecyclableVariable<Int>("cache")
        let snapshot = VariableSnapshot()
        try inUnit { () throws in
            try cache.set(1)
            try snapshot.run { () throws in
                #expect(code { _ = try cache.get() } == .neverSet)
                try cache.set(2)
            }
            #expect(try cache.get() == 1)
            #expect(try snapshot.run { try cache.get() } == 2)
        }
    }

    @Test("A snapshot has a worker of its own, under the same name, and a recycle inside touches nothing else.")
    func recycleInside() throws {
        let cache = RecyclableVariable<Int>("cache")
        let worker = Worker(kind: "job", number: 1)
        try worker.run { () throws in
            try cache.set(1)
            let snapshot = VariableSnapshot()
            try snapshot.run { () throws in
                #expect(Worker.current !== worker)
                #expect(Worker.current?.name == worker.name)
                #expect(Worker.current?.epoch == worker.epoch)
                Worker.current?.recycle()
                #expect(code { _ = try cache.get() } == .neverSet)
                try cache.set(2)
            }
            #expect(try cache.get() == 1)
            #expect(try snapshot.run { try cache.get() } == 2)
            #expect(try VariableSnapshot().run { try cache.get() } == 1)
        }
    }

    @Test("A snapshot knows what it contains without being run, and declared defaults are not in it.")
    func contents() throws {
        let other = ContextVariable<Int?>("other")
        try self.variable.withValue(1) { () throws in
            try other.withValue(nil) { () throws in
                let snapshot = VariableSnapshot()
                #expect(snapshot.contains(self.variable))
                #expect(try snapshot.value(of: self.variable) == 1)
                #expect(try snapshot.value(of: other) == nil)
                _ = try snapshot.run { try self.variable.set(2) }
                #expect(try snapshot.value(of: self.variable) == 2)
            }
        }
        let empty = VariableSnapshot.empty
        #expect(!empty.contains(self.variable))
        #expect(code { _ = try empty.value(of: self.variable) } == .missingKey)
        #expect(VariableError.Code.missingKey.description == "missing_key")
    }

    @Test("The empty snapshot hides everything, keeps what is set in it, and is a new one at each access.")
    func empty() throws {
        let cache = RecyclableVariable<Int>("cache")
        try Worker(kind: "job", number: 1).run { () throws in
            _ = try self.variable.set(1)
            try cache.set(1)
            let empty = VariableSnapshot.empty
            #expect(empty !== VariableSnapshot.empty)
            try empty.run { () throws in
                #expect(!self.variable.isSet)
                #expect(try self.variable.get() == 0)
                #expect(code { _ = try cache.get() } == .neverSet)
                _ = try self.variable.set(5)
                try cache.set(5)
            }
            #expect(try empty.run { try [self.variable.get(), cache.get()] } == [5, 5])
            #expect(try [self.variable.get(), cache.get()] == [1, 1])
        }
    }

    @Test("A variable that withholds its values from hand-offs is not in a snapshot, and others are.")
    func withheld() throws {
        let open = RecyclableVariable<Int>("open")
        let closed = RecyclableVariable<Int>("closed", policy: RecyclablePolicy(handOff: .withheld))
        try inUnit { () throws in
            try open.set(1)
            try closed.set(2)
            let snapshot = VariableSnapshot()
            try snapshot.run { () throws in
                #expect(try open.get() == 1)
                #expect(code { _ = try closed.get() } == .neverSet)
                try closed.set(3)
            }
            #expect(try closed.get() == 2)
            #expect(try snapshot.run { try closed.get() } == 3)
        }
    }

    @Test("A snapshot of a snapshot is a branch of that one.")
    func nested() throws {
        let cache = RecyclableVariable<Int>("cache")
        let outer = VariableSnapshot()
        let inner = try outer.run { () throws in
            _ = try self.variable.set(1)
            try cache.set(1)
            return VariableSnapshot()
        }
        _ = try outer.run { try self.variable.set(2) }
        try inner.run { () throws in
            #expect(try [self.variable.get(), cache.get()] == [1, 1])
            try cache.set(3)
        }
        #expect(try outer.run { try [self.variable.get(), cache.get()] } == [2, 1])
    }
}
