// Task {} and Task.detached: what the one inherits, and that the other inherits nothing.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Unstructured tasks")
struct UnstructuredTaskTests {
    private let desk = Desk()

    @Test("Task {} reads the context it was made in while that is open, and may neither push nor set in it.")
    func inherits() async {
        let variable = ContextVariable("n", default: 0)
        await withRequestContext(self.desk.app, get()) { request async in
            let task = Task {
                #expect(Current.requestContext === request)
                #expect(code { try AppContext(request.app).push() } == .notOwner)
                #expect(throws: VariableError.self) { try variable.set(1) }
            }
            await task.value
            #expect(Current.requestContext === request)
        }
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("Task {} sees the base of its scope, and not what was pushed there by hand.")
    func seesTheBase() async throws {
        try await withAppContext(self.desk.app) { base async throws in
            let pushed = AppContext(Desk("other").app)
            try pushed.push()
            #expect(await Task { Current.context }.value === base)
            #expect(Current.context === pushed)
            try await pushed.pop()
        }
    }

    @Test("Task.detached inherits nothing: neither contexts nor variables nor a unit of work.")
    func detached() async {
        let variable = ContextVariable("n", default: 0)
        let cache = RecyclableVariable<Int>("cache")
        await withRequestContext(self.desk.app, get()) { _ async in
            await variable.withValue(1) {
                await Task.detached {
                    #expect(code { _ = try Current.app } == .outsideAppContext)
                    #expect(code { _ = try Current.request } == .outsideRequestContext)
                    #expect(variable.get(default: -1) == -1)
                    #expect(cache.miss == .outsideUnit)
                    #expect(code { try AppContext(Desk().app).push() } == .noScope)
                }.value
            }
        }
    }

    @Test("A task that opens a context of its own may outlive the one it was made in.")
    func outlives() async throws {
        let (opened, ended) = (Gate(), Gate())
        let app = self.desk.app
        let task = await withAppContext(app) { _ async in
            let task = Task {
                try await withAppContext(app) { own async throws in
                    opened.open()
                    await ended.wait()
                    try Current.g["late"] = 1
                    return Current.context === own
                }
            }
            await opened.wait()
            return task
        }
        ended.open()
        #expect(try await task.value)
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A task that a bare thread starts sees nothing of what the thread pushed by hand.")
    func fromThread() async throws {
        let desk = self.desk
        let task = try await onThread {
            let context = AppContext(desk.app)
            try context.push()
            let task = Task { code { _ = try Current.app } }
            try context.pop()
            return task
        }
        #expect(await task.value == .outsideAppContext)
    }
}
