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

    @Test("A snapshot that was taken outside any unit shows none.")
    func outside() throws {
        let cache = RecyclableVariable<Int>("cache")
        let snapshot = VariableSnapshot()
        try inUnit { () throws in
            try cache.set(1)
            #expect(try snapshot.run { cache.miss } == .outsideUnit)
        }
    }
}
