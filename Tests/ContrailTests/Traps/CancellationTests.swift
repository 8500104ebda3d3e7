// Cancellation, in the body and in teardown: it aborts the contexts it reaches, and keeps no hook from running.

import Contrail
import ContrailRecorder
import Testing

@Suite("Cancellation")
struct CancellationTests {
    private let desk = Desk()
    private let log = Log()

    @Test("A body that is cancelled aborts its contexts, innermost first, each with its hooks.")
    func inTheBody() async throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        let (desk, running) = (self.desk, Gate())
        let task = Task {
            try await withAppContext(desk.app) { _ async throws in
                try await withRequestContext(Desk("other").app, get()) { _ async throws in
                    try await withRequestContext(desk.app, get()) { _ async throws in
                        running.open()
                        while true {
                            try Task.checkCancellation()
                            await Task.yield()
                        }
                    }
                }
            }
        }
        await running.wait()
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(self.log.lines == ["r aborted", "a aborted", "a aborted"])
    }

    @Test("A body that ignores its cancellation ends well.")
    func ignored() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        let desk = self.desk
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await withAppContext(desk.app) { context async in Current.context === context }
        }
        task.cancel()
        #expect(await task.value)
        #expect(self.log.lines == ["a ok"])
    }

    @Test("A cancellation that comes while teardown runs stops neither the hook that runs nor those after it.")
    func inTeardown() async throws {
        let (desk, log) = (self.desk, self.log)
        let (running, cancelled) = (Gate(), Gate())
        try desk.logHooks(log, app: ["last"])
        try desk.logAsyncHook(log, "first") {
            running.open()
            await cancelled.wait()
        }
        let task = Task { await withAppContext(desk.app) { _ async in } }
        await running.wait()
        task.cancel()
        cancelled.open()
        await task.value
        #expect(log.lines == ["first ok, cancelled: false", "last ok"])
        #expect(desk.events().outcomes == [.ok])
    }

    @Test("A child that is cancelled aborts its own context; its parent's goes on.")
    func child() async throws {
        let other = Desk("other")
        try await withAppContext(self.desk.app) { outer async throws in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await withAppContext(other.app) { _ async throws in
                        while true {
                            try Task.checkCancellation()
                            await Task.yield()
                        }
                    }
                }
                group.cancelAll()
                while let result = await group.nextResult() {
                    #expect(throws: CancellationError.self) { try result.get() }
                }
            }
            #expect(Current.context === outer)
        }
        #expect(other.events().outcomes == [.aborted])
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("What a cancelled body left pushed is torn down as a leak before its scope aborts.")
    func leftover() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        await #expect(throws: CancellationError.self) {
            try await withAppContext(self.desk.app) { _ async throws in
                try AppContext(self.desk.app).push()
                throw CancellationError()
            }
        }
        #expect(self.log.lines == ["a leaked", "a aborted"])
    }

    @Test("A cancellation handler runs with the contexts of whoever cancels.")
    func handler() async {
        let (desk, other, log, running) = (self.desk, Desk("other"), self.log, Gate())
        let task = Task {
            await withAppContext(desk.app) { _ async in
                await withTaskCancellationHandler {
                    running.open()
                    while !Task.isCancelled { await Task.yield() }
                } onCancel: {
                    log.add((try? Current.app.name) ?? "none")
                }
            }
        }
        await running.wait()
        withAppContext(other.app) { _ in task.cancel() }
        await task.value
        #expect(log.lines == ["other"])
    }
}

extension Desk {
    /// Registers an async hook that waits, and then writes down its outcome and whether it was cancelled.
    fileprivate func logAsyncHook(_ log: Log, _ name: String, _ wait: @escaping @Sendable () async -> Void) throws {
        try self.app.teardownAppContext(name) { _, outcome async in
            await wait()
            log.add("\(name) \(outcome.text), cancelled: \(Task.isCancelled)")
        }
    }
}
