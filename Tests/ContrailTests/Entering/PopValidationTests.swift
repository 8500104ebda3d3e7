// The pop that is refused: nothing moves, the trail has a problem, and the right pop still works.

import Contrail
import ContrailRecorder
import Testing

@Suite("Pop validation")
struct PopValidationTests {
    private let desk = Desk()
    private let base = Desk("base")
    private let log = Log()

    @Test("A context that was never pushed, or has been popped, is not pushed.")
    func notPushed() throws {
        try withAppContext(self.base.app) { outer throws in
            let context = AppContext(self.desk.app)
            let request = App.RequestContext(self.desk.app, get())
            #expect(code { try context.pop() } == .notPushed)
            #expect(code { try request.pop() } == .notPushed)
            try context.push()
            try context.pop()
            #expect(code { try context.pop() } == .notPushed)
            #expect(Current.context === outer)
        }
        #expect(self.desk.events().problems.map(\.problem.kind) == [.rejectedPop, .rejectedPop, .rejectedPop])
    }

    @Test("A pop in the wrong order is refused before any effect, names both contexts, and may be repeated.")
    func notActive() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(self.base.app) { _ throws in
            let first = AppContext(self.desk.app)
            let second = AppContext(Desk("second").app)
            try first.push()
            try second.push()
            for _ in 0..<2 {
                let error = #expect(throws: ContextError.self) { try first.pop() }
                #expect(error?.code == .notActive)
                #expect(error?.message.contains("orders") == true)
                #expect(error?.message.contains("second") == true)
            }
            #expect(self.log.lines.isEmpty)
            #expect(Current.context === second)
            try second.pop()
            try first.pop()
        }
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == [.rejectedPop, .rejectedPop])
    }

    @Test("A request below another is not active.")
    func requestNotActive() throws {
        try withAppContext(self.base.app) { _ throws in
            let first = App.RequestContext(self.desk.app, get())
            let second = App.RequestContext(self.desk.app, get("/second"))
            try first.push()
            try second.push()
            #expect(code { try first.pop() } == .notActive)
            try second.pop()
            try first.pop()
        }
    }

    @Test("A request whose own app context is covered is not active.")
    func ownAppContextIsCovered() throws {
        try withAppContext(self.base.app) { _ throws in
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            let cover = AppContext(Desk("cover").app)
            try cover.push()
            #expect(code { try request.pop() } == .notActive)
            #expect(Current.requestContext === request)
            try cover.pop()
            try request.pop()
        }
    }

    @Test("A request whose own app context was popped by itself is not active.")
    func ownAppContextIsGone() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try withAppContext(self.base.app) { _ throws in
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            try Current.context?.pop()
            #expect(code { try request.pop() } == .notActive)
        }
        #expect(self.log.lines == ["a ok", "r leaked"])
        #expect(self.desk.events().pops.map(\.pop.remaining) == [0, 0])
    }

    @Test("The context of a closure form is not popped by hand.")
    func closureContext() throws {
        try withAppContext(self.desk.app) { context throws in
            #expect(code { try context.pop() } == .notActive)
            #expect(Current.context === context)
        }
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("A push of the closure's context by hand is popped by hand.")
    func closureContextPushedAgain() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(self.desk.app) { context throws in
            try context.push()
            try context.pop()
            #expect(self.log.lines.isEmpty)
        }
        #expect(self.log.lines == ["a ok"])
    }

    @Test("A push of an outer scope is not popped in an inner one.")
    func outerScope() throws {
        try withAppContext(self.base.app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            try withAppContext(self.base.app) { _ throws in
                #expect(code { try context.pop() } == .notActive)
            }
            try context.pop()
        }
    }

    @Test("A child cannot pop its parent's push; the parent still can.")
    func foreignChild() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try await withAppContext(self.base.app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            async let child = code { try context.pop() }
            #expect(await child == .foreignPop)
            #expect(self.log.lines.isEmpty)
            #expect(Current.context === context)
            try await context.pop()
        }
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == [.foreignPop])
        #expect(problems.first?.event.context == 1)
    }

    @Test("Another thread cannot pop; the owner still can.")
    func foreignThread() async throws {
        try await withAppContext(self.base.app) { _ async throws in
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            #expect(try await onThread { code { try request.pop() } } == .foreignPop)
            #expect(Current.requestContext === request)
            try await request.pop()
        }
        #expect(self.desk.events().problems.map(\.problem.kind) == [.foreignPop])
    }

    @Test("A refused pop names the site of the pop.")
    func site() throws {
        let line = #line + 1
        _ = code { try AppContext(self.desk.app).pop() }
        #expect(self.desk.events().problems.first?.problem.site == Site(line: UInt(line)))
    }
}
