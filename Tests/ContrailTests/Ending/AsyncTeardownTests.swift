// Async hooks: shielded, current, and refused where nobody can wait for them.

import Contrail
import ContrailRecorder
import Testing

@Suite("Async teardown")
struct AsyncTeardownTests {
    private let desk = Desk()
    private let log = Log()

    private func addAsyncHook(_ name: String = "async") throws {
        let log = self.log
        try self.desk.app.teardownAppContext(name) { context, outcome async throws in
            await Task.yield()
            log.add("\(name) \(outcome.text) \(Current.context === context) \(Task.isCancelled)")
        }
    }

    @Test("An async hook runs in its place among the others, with its context current.")
    func order() async throws {
        try self.desk.logHooks(self.log, app: ["first"])
        try self.addAsyncHook()
        try self.desk.logHooks(self.log, app: ["last"])
        await withAppContext(self.desk.app) { _ async in }
        #expect(self.log.lines == ["last ok", "async ok true false", "first ok"])
    }

    @Test("An async hook is shielded from the cancellation of its task.")
    func shielded() async throws {
        try self.addAsyncHook()
        let desk = self.desk
        let started = Gate()
        let task = Task {
            try await withAppContext(desk.app) { _ async throws in
                started.open()
                while !Task.isCancelled { await Task.yield() }
                throw CancellationError()
            }
        }
        await started.wait()
        task.cancel()
        _ = await task.result
        #expect(self.log.lines == ["async aborted true false"])
    }

    @Test("An async hook of an imperative push sees that push, and not the scope's base.")
    func imperative() async throws {
        try self.addAsyncHook()
        try await withAppContext(Desk().app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            try await context.pop()
        }
        #expect(self.log.lines == ["async ok true false"])
    }

    @Test("An async hook may push, and what it throws is collected.")
    func pushInHook() async throws {
        let other = Desk("other")
        let log = self.log
        try self.desk.app.teardownAppContext { _, _ async throws in
            let context = AppContext(other.app)
            try context.push()
            log.add("\(Current.context === context)")
            try await context.pop()
            throw Boom()
        }
        let error = await #expect(throws: ContextError.self) {
            try await withAppContext(self.desk.app) { _ async throws in }
        }
        #expect(error?.errors.map { "\($0)" } == ["boom"])
        #expect(log.lines == ["true"])
        #expect(other.events().outcomes == [.ok])
    }

    @Test("A task that an async hook leaves behind reads too late.")
    func taskLeftBehind() async throws {
        let release = Gate()
        let seen = Log()
        let done = Gate()
        try self.desk.app.teardownAppContext { _, _ async throws in
            Task {
                await release.wait()
                seen.add(code { _ = try Current.app }?.description ?? "read")
                done.open()
            }
        }
        await withAppContext(self.desk.app) { _ async in }
        release.open()
        await done.wait()
        #expect(seen.lines == ["context_ended"])
    }

    @Test("A sync pop with an async hook is refused before any effect, and the async pop works.")
    func syncPop() async throws {
        try self.addAsyncHook()
        try await withAppContext(Desk().app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            #expect(popSync(context) == .asyncHooks)
            #expect(Current.context === context)
            #expect(self.log.lines.isEmpty)
            try await context.pop()
            #expect(Current.context !== context)
        }
        #expect(self.log.lines.count == 1)
    }

    @Test("A sync pop of a request with an async hook on its own app context is refused as well.")
    func syncRequestPop() async throws {
        try self.addAsyncHook()
        try await withAppContext(Desk().app) { _ async throws in
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            #expect(popSync(request) == .asyncHooks)
            #expect(request.isPushed)
            try await request.pop()
        }
        #expect(self.log.lines.count == 1)
    }

    @Test("A sync pop that is not the last needs no async hook.")
    func syncPopInBetween() async throws {
        try self.addAsyncHook()
        try await withAppContext(Desk().app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            try context.push()
            #expect(popSync(context) == nil)
            try await context.pop()
        }
        #expect(self.log.lines.count == 1)
    }

    @Test("A sync closure that may throw is refused before it runs, and before its worker recycles.")
    func syncClosureRefused() throws {
        try self.addAsyncHook()
        #expect(code { try withAppContext(self.desk.app) { _ throws in _ = Issue.record("ran") } } == .asyncHooks)
        #expect(
            code { try withRequestContext(self.desk.app, get()) { _ throws in _ = Issue.record("ran") } } == .asyncHooks
        )
        #expect(self.desk.events().isEmpty)
    }

    @Test("A sync app context is not refused for an async hook of requests.")
    func otherLayer() throws {
        try self.desk.app.teardownRequest { _, _ async throws in }
        try withAppContext(self.desk.app) { _ throws in }
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("After a sync closure that cannot throw, the hooks run later.")
    func syncClosureDeferred() async throws {
        try self.addAsyncHook()
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        nonThrowing(self.desk.app)
        await popped.wait()
        #expect(self.log.lines == ["async ok true false"])
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("An async hook that is registered while a sync closure runs is not forgotten.")
    func registeredInside() async throws {
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        try withAppContextSync(self.desk.app) { _ throws in try self.addAsyncHook() }
        await popped.wait()
        #expect(self.log.lines == ["async ok true false"])
    }

    @Test("A push of another app that a sync closure leaves is torn down with its async hooks.")
    func leftoverWithAsyncHook() async throws {
        try self.addAsyncHook()
        let outer = Desk("outer")
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: outer.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        try withAppContextSync(outer.app) { _ in try AppContext(self.desk.app).push() }
        await popped.wait()
        #expect(self.log.lines == ["async leaked true false"])
        #expect(outer.events().outcomes == [.ok])
    }

    @Test("A scope that is finished from many sides is torn down once.")
    func finishOnce() async throws {
        let count = Counter()
        try self.desk.app.teardownAppContext { _, _ async throws in count.next() }
        let popped = Counter()
        let done = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in
            popped.next()
            done.open()
        }
        defer { Signals.appContextPopped.disconnect(connection) }
        let scope = ContextScope(AppContext(self.desk.app), worker: nil, site: Site())
        await #expect(throws: Never.self) { try await scope.enter() }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<16 {
                group.addTask { if number % 2 == 0 { scope.finishLater(.aborted) } else { await scope.finish(.ok) } }
            }
        }
        await done.wait()
        await scope.finish(.ok)
        #expect(count.value == 1)
        #expect(popped.value == 1)
        #expect(self.desk.events().pops.count == 1)
    }
}

private func nonThrowing(_ app: App) {
    withAppContext(app) { _ in }
}

private func popSync(_ context: AppContext) -> ContextError.Code? {
    code { try context.pop() }
}

private func popSync(_ request: App.RequestContext) -> ContextError.Code? {
    code { try request.pop() }
}
