// The check for contexts that a test left pushed.

import Contrail
import Testing

@Suite("The check for leaks")
struct LeakCheckTests {
    private let desk = Desk()

    @Test("TST-11: a context that is left pushed fails the check, which names it and the site of its push.")
    func leak() throws {
        let line = #line + 1
        let error = #expect(throws: ContextError.self) {
            try withoutContextLeaks {
                try App.RequestContext(self.desk.app, get("/left")).push()
            }
        }
        #expect(error?.code == .contextsLeaked)
        #expect(error?.message.contains("<RequestContext '/left' [GET] of orders>, pushed at") == true)
        let message = error?.message ?? ""
        #expect(message.contains("LeakCheckTests.swift:\(line)"))
        #expect(!hasAppContext())
    }

    @Test("TST-11: what was popped, and what closure forms push, is no leak.")
    func clean() throws {
        let value = try withoutContextLeaks {
            let context = AppContext(self.desk.app)
            try context.push()
            try context.pop()
            return try withAppContextSync(self.desk.app) { _ in 7 }
        }
        #expect(value == 7)
    }

    @Test("TST-11: what is current around it stays, and is no leak.")
    func around() throws {
        try withAppContext(self.desk.app) { context throws in
            context.g["n"] = 1
            let seen = try withoutContextLeaks { try Current.g.get("n", as: Int.self) }
            #expect(seen == 1)
            #expect(code { try withoutContextLeaks { try context.push() } } == .contextsLeaked)
            #expect(Current.context === context)
        }
    }

    @Test("TST-11: it works on a bare thread and in an async test.")
    func elsewhere() async throws {
        let app = self.desk.app
        let onThread = try await onThread { code { try withoutContextLeaks { try AppContext(app).push() } } }
        #expect(onThread == .contextsLeaked)
        let inTask = await code {
            try await withoutContextLeaks {
                try AppContext(app).push()
                await Task.yield()
            }
        }
        #expect(inTask == .contextsLeaked)
        try await withoutContextLeaks { await Task.yield() }
    }

    @Test("TST-11: an error of the test leaves rather than that of the leak, which is torn down all the same.")
    func errorOfTheTest() async throws {
        let gate = Gate()
        try self.desk.app.teardownAppContext("hook") { _, outcome in
            #expect(outcome.text.hasPrefix("leaked"))
            gate.open()
        }
        #expect(throws: Boom()) {
            try withoutContextLeaks {
                try AppContext(self.desk.app).push()
                throw Boom()
            }
        }
        await gate.wait()
    }
}
