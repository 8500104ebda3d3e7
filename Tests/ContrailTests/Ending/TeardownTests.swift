// Teardown: in which order, how often, and that nothing stops it.

import Contrail
import ContrailRecorder
import Testing

@Suite("Teardown")
struct TeardownTests {
    private let desk = Desk()
    private let log = Log()

    @Test("Hooks run in reverse order, the request's before the app context's.")
    func order() throws {
        try self.desk.logHooks(self.log, app: ["a1", "a2"], request: ["r1", "r2"])
        withRequestContext(self.desk.app, get()) { _ in self.log.add("body") }
        #expect(self.log.lines == ["body", "r2 ok", "r1 ok", "a2 ok", "a1 ok"])
        let hooks = self.desk.events().hooks
        #expect(hooks.map(\.hook) == ["r2", "r1", "a2", "a1"])
        #expect(hooks.map(\.position) == [1, 2, 1, 2])
    }

    @Test("A request on an app context of the outside runs the request's hooks only.")
    func reusedAppContext() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        withAppContext(self.desk.app) { _ in
            withRequestContext(self.desk.app, get()) { _ in }
            self.log.add("outer")
        }
        #expect(self.log.lines == ["r ok", "outer", "a ok"])
    }

    @Test("A hook that throws stops no other, and all see the same outcome.")
    func throwingHook() throws {
        try self.desk.logHooks(self.log, app: ["a1"])
        try self.desk.app.teardownAppContext("bad") { _, _ in throw Boom(name: "hook") }
        try self.desk.logHooks(self.log, app: ["a2"])
        #expect(throws: Boom(name: "body")) {
            try withAppContext(self.desk.app) { _ throws in throw Boom(name: "body") }
        }
        #expect(self.log.lines == ["a2 failed body", "a1 failed body"])
    }

    @Test("Hooks run while their context is current, and app hooks without the request.")
    func currentInHooks() throws {
        let log = self.log
        try self.desk.app.teardownAppContext { context, _ in
            log.add("app \(Current.context === context) \(Current.requestContext == nil)")
        }
        try self.desk.app.teardownRequest { context, _ in
            log.add("request \(Current.requestContext === context) \(Current.context === context.appContext)")
        }
        withRequestContext(self.desk.app, get()) { _ in }
        #expect(self.log.lines == ["request true true", "app true true"])
    }

    @Test("App hooks of a nested request see the request around it.")
    func outerRequestInAppTeardown() throws {
        let log = self.log
        let other = Desk()
        try other.app.teardownAppContext { _, _ in log.add(Current.requestContext?.app.name ?? "none") }
        withRequestContext(self.desk.app, get()) { _ in
            withRequestContext(other.app, get()) { _ in }
        }
        #expect(self.log.lines == ["orders"])
    }

    @Test("A hook that is registered during teardown is not part of it.")
    func lateHook() throws {
        let log = self.log
        let app = self.desk.app
        try app.teardownAppContext("first") { _, _ in
            log.add("first")
            try app.teardownAppContext("late") { _, _ in log.add("late") }
        }
        withAppContext(app) { _ in }
        #expect(log.lines == ["first"])
        withAppContext(app) { _ in }
        #expect(log.lines == ["first", "late", "first"])
    }

    @Test("A hook may open contexts of its own, with teardown of their own.")
    func nestedInHook() throws {
        let log = self.log
        let other = Desk("other")
        try other.logHooks(log, app: ["other"])
        try self.desk.app.teardownAppContext { context, _ in
            withAppContext(other.app) { _ in log.add("nested") }
            log.add("back \(Current.context === context)")
        }
        withAppContext(self.desk.app) { _ in }
        #expect(log.lines == ["nested", "other ok", "back true"])
    }

    @Test("A hook without a name is known by its site.")
    func namelessHook() throws {
        let line = #line + 1
        try self.desk.app.teardownAppContext { _, _ in }
        withAppContext(self.desk.app) { _ in }
        #expect(self.desk.events().hooks.map(\.hook.text) == ["\(#fileID):\(line)"])
    }

    @Test("A hook that pops its own context is refused, and teardown runs once.")
    func hookPopsItself() throws {
        let log = self.log
        let context = AppContext(self.desk.app)
        try self.desk.app.teardownAppContext { context, _ in
            log.add("hook \(code { try context.pop() }?.description ?? "popped")")
        }
        try withAppContext(Desk().app) { _ throws in
            try context.push()
            try context.pop()
        }
        #expect(log.lines == ["hook not_pushed"])
        #expect(!context.isPushed)
    }

    @Test("A hook that pushes and pops its own context again does not tear it down twice.")
    func hookPushesItself() throws {
        let log = self.log
        let context = AppContext(self.desk.app)
        try self.desk.app.teardownAppContext { context, _ in
            log.add("hook")
            try context.push()
            try context.pop()
        }
        try withAppContext(Desk().app) { _ throws in
            try context.push()
            try context.pop()
        }
        #expect(log.lines == ["hook"])
        #expect(!context.isPushed)
    }

    @Test("A thread that pushes and pops while another tears down does not tear down again.")
    func popDuringTeardown() async throws {
        let log = self.log
        let inHook = Gate()
        let leaveHook = Gate()
        try self.desk.app.teardownAppContext { _, _ in
            log.add("hook")
            inHook.open()
            leaveHook.waitOnThread()
        }
        let context = AppContext(self.desk.app)
        async let first: Void = onThread {
            try context.push()
            try context.pop()
        }
        await inHook.wait()
        try await onThread {
            try context.push()
            try context.pop()
        }
        #expect(context.isPushed)
        leaveHook.open()
        try await first
        #expect(log.lines == ["hook"])
        #expect(!context.isPushed)
        #expect(self.desk.events().pops.map(\.pop.remaining) == [1, 0])
    }

    @Test("Of two threads that hold a push each, one tears down, whichever pops last.")
    func twoThreads() async throws {
        let context = AppContext(self.desk.app)
        try self.desk.logHooks(self.log, app: ["a"])
        let held = Gate()
        let leave = Gate()
        async let first: Void = onThread {
            try context.push()
            held.open()
            leave.waitOnThread()
            try context.pop()
        }
        await held.wait()
        try await onThread {
            try context.push()
            try context.pop()
        }
        #expect(self.log.lines.isEmpty)
        leave.open()
        try await first
        #expect(self.log.lines == ["a ok"])
    }

    @Test("Cancellation does not keep hooks from running.")
    func cancelled() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        let desk = self.desk
        let started = Gate()
        let task = Task {
            try await withAppContext(desk.app) { _ async throws in
                started.open()
                while true {
                    try Task.checkCancellation()
                    await Task.yield()
                }
            }
        }
        await started.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(self.log.lines == ["a aborted"])
    }
}
