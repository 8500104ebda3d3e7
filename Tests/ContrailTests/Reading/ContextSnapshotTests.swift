// Borrowed contexts: shared by any number of workers, and never ended by them.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import Testing

@Suite("Context snapshots")
struct ContextSnapshotTests {
    private let desk = Desk()
    private let log = Log()

    @Test("There is nothing to borrow outside a context.")
    func outside() {
        #expect(code { _ = try ContextSnapshot("x") } == .outsideAppContext)
    }

    @Test("A detached task, a Dispatch queue and a thread see the borrowed contexts.")
    func borrowers() async throws {
        try await withRequestContext(self.desk.app, get()) { request async throws in
            let snapshot = try ContextSnapshot("work")
            let detached = try await Task.detached {
                try await snapshot.run { () async in
                    await Task.yield()
                    return Current.requestContext === request
                }
            }.value
            #expect(detached)
            let queued: Bool = try await withCheckedThrowingContinuation { continuation in
                DispatchQueue.global().async {
                    continuation.resume(
                        with: Result { try snapshot.run { Current.context === request.appContext } }
                    )
                }
            }
            #expect(queued)
            #expect(try await onThread { try snapshot.run { Current.requestContext === request } })
        }
    }

    @Test("One snapshot serves sixty-four workers at once, which share g and not their variables.")
    func manyWorkers() async throws {
        let variable = ContextVariable("n", default: 0)
        let arrived = Counter()
        let everybody = Gate()
        try await withAppContext(self.desk.app) { context async throws in
            let snapshot = try ContextSnapshot("work")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...64 {
                    group.addTask {
                        try await Task.detached {
                            try await snapshot.run { () async throws in
                                try variable.set(number)
                                if arrived.next() == 64 { everybody.open() }
                                await everybody.wait()
                                #expect(try variable.get() == number)
                                try Current.g["\(number)"] = number
                            }
                        }.value
                    }
                }
                try await group.waitForAll()
            }
            #expect(context.g.names.count == 64)
        }
    }

    @Test("Taking a snapshot leaves one hand-off, with the lifetime it came from.")
    func handoff() throws {
        let line = #line + 2
        try withRequestContext(self.desk.app, get()) { _ throws in
            let snapshot = try ContextSnapshot("ship")
            try snapshot.run {}
            try snapshot.run {}
        }
        let handoffs = self.desk.events().filter { $0.kind == .handoff }
        #expect(handoffs.map(\.context) == [2])
        guard case .handoff(let name, let site)? = handoffs.first?.body else { return }
        #expect(name == "ship")
        #expect(site == Site(line: UInt(line)))
    }

    @Test("A borrower runs no hook of the owner.")
    func noTeardown() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try withRequestContext(self.desk.app, get()) { _ throws in
            try ContextSnapshot("work").run { self.log.add("borrowed") }
            self.log.add("body")
        }
        #expect(self.log.lines == ["borrowed", "body", "r ok", "a ok"])
    }

    @Test("After its owner has ended, a borrower is refused before it runs, and leaves a problem.")
    func outlived() async throws {
        let snapshot = try await withAppContext(self.desk.app) { _ async throws in try ContextSnapshot("late") }
        #expect(code { try snapshot.run { _ = Issue.record("ran") } } == .borrowOutlived)
        #expect(await code { try await snapshot.run { () async in _ = Issue.record("ran") } } == .borrowOutlived)
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == [.borrowOutlived, .borrowOutlived])
        #expect(problems.allSatisfy { $0.event.context == 1 })
    }

    @Test("A borrower that is overtaken by its owner's end reads too late.")
    func overtaken() async throws {
        let running = Gate()
        let ended = Gate()
        let task = try await withAppContext(self.desk.app) { _ async throws in
            let snapshot = try ContextSnapshot("slow")
            let task = Task.detached {
                try await snapshot.run { () async in
                    running.open()
                    await ended.wait()
                    return code { _ = try Current.app }
                }
            }
            await running.wait()
            return task
        }
        ended.open()
        #expect(try await task.value == .borrowOutlived)
    }

    @Test("A new lifetime of the same context is not the one that was borrowed.")
    func anotherLifetime() throws {
        try withAppContext(Desk().app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            let snapshot = try ContextSnapshot("work")
            try context.pop()
            try context.push()
            #expect(code { try snapshot.run {} } == .borrowOutlived)
            try context.pop()
        }
    }

    @Test("A borrower may push in its own scope; what it leaves is a leak of its own.")
    func pushInBorrower() async throws {
        let other = Desk("other")
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: other.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        try await withAppContext(self.desk.app) { context async throws in
            let snapshot = try ContextSnapshot("work")
            try await Task.detached {
                try await snapshot.run { () async throws in try AppContext(other.app).push() }
            }.value
            await popped.wait()
            #expect(Current.context === context)
        }
        #expect(other.events().outcomes == [.leaked])
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("A borrower cannot pop what it borrowed.")
    func popInBorrower() async throws {
        try await withAppContext(Desk().app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            let snapshot = try ContextSnapshot("work")
            let refused = try await Task.detached {
                try await snapshot.run { () async in code { try context.pop() } }
            }.value
            #expect(refused == .foreignPop)
            try await context.pop()
        }
    }

    @Test("Recyclable values are a branch of the borrower's.")
    func recyclables() async throws {
        let cache = RecyclableVariable<Int>("cache")
        try await withRequestContext(self.desk.app, get()) { _ async throws in
            try cache.set(1)
            let snapshot = try ContextSnapshot("work")
            try cache.set(2)
            let seen = try await Task.detached {
                try await snapshot.run { () async throws in
                    let seen = try cache.get()
                    try cache.set(3)
                    return seen
                }
            }.value
            #expect(seen == 1)
            #expect(try cache.get() == 2)
        }
    }

    @Test("A snapshot of variables carries the contexts of its own moment, and none where there were none.")
    func variableSnapshot() throws {
        let empty = VariableSnapshot()
        try withRequestContext(self.desk.app, get()) { request throws in
            let full = VariableSnapshot()
            #expect(try empty.run { Current.requestContext == nil })
            #expect(try empty.run { try full.run { Current.requestContext === request } })
        }
    }

    @Test("A push that is left in a snapshot of variables is there in its next run.")
    func pushStaysInSnapshot() throws {
        let snapshot = VariableSnapshot()
        let context = AppContext(self.desk.app)
        try snapshot.run { try context.push() }
        #expect(!hasAppContext())
        try snapshot.run {
            #expect(Current.context === context)
            try context.pop()
        }
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A context that is pushed in a snapshot of variables brings its own unit.")
    func pushInVariableSnapshot() throws {
        let cache = RecyclableVariable<Int>("cache")
        try withRequestContext(self.desk.app, get()) { _ throws in
            try cache.set(1)
            let snapshot = VariableSnapshot()
            try cache.set(2)
            try snapshot.run { () throws in
                #expect(cache.get(default: 0) == 1)
                let request = App.RequestContext(self.desk.app, get())
                try request.push()
                #expect(cache.get(default: 0) == 0)
                try request.pop()
                #expect(cache.get(default: 0) == 1)
            }
            #expect(cache.get(default: 0) == 2)
        }
    }
}
