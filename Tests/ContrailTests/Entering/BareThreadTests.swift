// Threads without a task: they have a root scope of their own, and what they leave behind is found.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Bare threads")
struct BareThreadTests {
    private let desk = Desk()
    private let log = Log()

    @Test("A bare thread pushes and pops without a scope.")
    func pushAndPop() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        let desk = self.desk
        try await onThread {
            let context = AppContext(desk.app)
            try context.push()
            #expect(Current.context === context)
            try context.pop()
            #expect(Current.context == nil)
        }
        #expect(self.log.lines == ["a ok"])
        #expect(self.desk.kinds() == [.appPush, .teardown, .appPop])
    }

    @Test("A thread's events carry the thread as worker, and the kernel's id of it.")
    func worker() async throws {
        let desk = self.desk
        let id = try await onThread {
            let request = App.RequestContext(desk.app, get())
            try request.push()
            try request.pop()
            return ThreadState.current.threadID
        }
        let events = self.desk.events()
        #expect(events.map(\.kind) == [.recycle, .appPush, .requestPush, .requestPop, .appPop])
        #expect(events.allSatisfy { $0.worker == TrailEvent.WorkerLabel(kind: "thread", number: id) })
        #expect(events.allSatisfy { $0.thread == id })
        #expect(Set(events.map(\.epoch)).count == 1)
    }

    @Test("Closure forms work on a bare thread, and a task that they start inherits.")
    func closureForms() async throws {
        let desk = self.desk
        let task = try await onThread {
            try withAppContextSync(desk.app) { context in
                let inside = Gate()
                let task = Task {
                    defer { inside.open() }
                    return Current.context === context
                }
                inside.waitOnThread()
                return task
            }
        }
        #expect(await task.value)
    }

    @Test("Another thread sees nothing of a thread's pushes.")
    func isolation() async throws {
        let desk = self.desk
        try await onThread { try AppContext(desk.app).push() }
        #expect(try await onThread { Current.context == nil })
    }

    @Test("What a thread leaves behind is a leak, and its hooks run in a housekeeping task with the context current.")
    func leftover() async throws {
        let log = self.log
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        try self.desk.app.teardownAppContext("sync") { context, outcome in
            log.add("sync \(outcome.text) \(Current.context === context) \(ExecutionID.isInTask)")
        }
        try self.desk.app.teardownAppContext("async") { context, outcome async throws in
            log.add("async \(outcome.text) \(Current.context === context)")
        }
        let desk = self.desk
        let line = #line + 1
        try await onThread { try AppContext(desk.app).push() }
        await popped.wait()
        #expect(log.lines == ["async leaked true", "sync leaked true true"])
        let events = self.desk.events()
        #expect(events.outcomes == [.leaked])
        #expect(events.problems.map(\.problem.kind) == [.leak])
        #expect(events.problems.first?.problem.site == Site(line: UInt(line)))
        #expect(events.allSatisfy { $0.worker?.kind == "thread" })
    }

    @Test("A request that a thread leaves behind takes its app context with it, top first, in its unit.")
    func leftoverRequest() async throws {
        let log = self.log
        let cache = RecyclableVariable<Int>("cache")
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        try self.desk.app.teardownRequest { _, outcome in log.add("r \(outcome.text) \(cache.get(default: 0))") }
        try self.desk.app.teardownAppContext { _, outcome in log.add("a \(outcome.text) \(cache.get(default: 0))") }
        let desk = self.desk
        try await onThread {
            try App.RequestContext(desk.app, get()).push()
            try cache.set(7)
        }
        await popped.wait()
        #expect(log.lines == ["r leaked 7", "a leaked 7"])
    }

    @Test("Two pushes on one thread are told apart from those of a closure form on it.")
    func closureOverRoot() async throws {
        let desk = self.desk
        try await onThread {
            let context = AppContext(desk.app)
            try context.push()
            try withAppContextSync(Desk().app) { inner in
                #expect(Current.context === inner)
                #expect(code { try context.pop() } == .notActive)
            }
            #expect(Current.context === context)
            try context.pop()
        }
    }

    @Test("A push inside a scope of variables outlives it, and its unit with it.")
    func pushInVariableScope() async throws {
        let desk = self.desk
        let variable = ContextVariable("n", default: 0)
        let cache = RecyclableVariable<Int>("cache")
        try await onThread {
            let request = App.RequestContext(desk.app, get())
            try variable.withValue(1) { () throws in
                try request.push()
                try cache.set(1)
                #expect(Current.requestContext === request)
            }
            #expect(Current.requestContext === request)
            #expect(cache.get(default: 0) == 1)
            try request.pop()
            #expect(cache.get(default: 0) == 0)
            try cache.set(2)
            #expect(cache.get(default: 0) == 2)
        }
    }
}
