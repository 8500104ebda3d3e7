// push and pop by hand: counts, lifetimes, and where a push is refused.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Imperative pushes")
struct ImperativePushTests {
    private let desk = Desk()
    private let base = Desk("base")
    private let log = Log()

    @Test("A push makes current and a pop restores.")
    func pushAndPop() throws {
        try withAppContext(self.base.app) { outer throws in
            let context = AppContext(self.desk.app)
            try context.push()
            #expect(Current.context === context)
            #expect(context.description.contains("pushed at"))
            try context.pop()
            #expect(Current.context === outer)
            #expect(context.description.contains("not pushed"))
        }
    }

    @Test("A request brings an app context along and takes it away again.")
    func request() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try withAppContext(self.base.app) { outer throws in
            let request = App.RequestContext(self.desk.app, get())
            #expect(code { _ = try request.g } == .notPushed)
            try request.push()
            #expect(Current.requestContext === request)
            #expect(Current.context === request.appContext)
            try request.pop()
            #expect(Current.requestContext == nil)
            #expect(Current.context === outer)
        }
        #expect(self.log.lines == ["r ok", "a ok"])
        #expect(self.desk.kinds().filter { $0 != .teardown } == [.appPush, .requestPush, .requestPop, .appPop])
    }

    @Test("A request reuses an app context that was pushed by hand.")
    func requestReuses() throws {
        try withAppContext(self.base.app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            #expect(request.appContext === context)
            try request.pop()
            #expect(Current.context === context)
            try context.pop()
        }
        #expect(self.desk.kinds() == [.appPush, .requestPush, .requestPop, .appPop])
    }

    @Test("Each push needs its pop, and teardown belongs to the last.")
    func multiplePushes() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(self.base.app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            try context.push()
            try context.pop()
            #expect(self.log.lines.isEmpty)
            #expect(Current.context === context)
            try context.pop()
        }
        #expect(self.log.lines == ["a ok"])
        let events = self.desk.events()
        #expect(events.pushes.map(\.push.depth) == [1, 2])
        #expect(events.pops.map(\.pop.remaining) == [1, 0])
        #expect(Set(events.pushes.map(\.event.context)).count == 1)
    }

    @Test("A context with another in between comes back in the order of the pops.")
    func interleaved() throws {
        try withAppContext(self.base.app) { outer throws in
            let first = AppContext(self.desk.app)
            let second = AppContext(Desk().app)
            for context in [first, second, first] { try context.push() }
            #expect(Current.context === first)
            try first.pop()
            #expect(Current.context === second)
            try second.pop()
            #expect(Current.context === first)
            try first.pop()
            #expect(Current.context === outer)
        }
    }

    @Test("Pushed again after its last pop, a context has a new lifetime and the same g.")
    func secondLifetime() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(self.base.app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            context.g["n"] = 1
            try context.pop()
            try context.push()
            #expect(context.g.contains("n"))
            try context.pop()
        }
        #expect(self.log.lines == ["a ok", "a ok"])
        let events = self.desk.events()
        #expect(events.pushes.map(\.event.context) == [1, 2])
        #expect(events.snapshots.map(\.event.context) == [1, 2])
    }

    @Test("A child may not push in its parent's scope, and the error says what to do.")
    func childIsRefused() async throws {
        await withAppContext(self.base.app) { outer async in
            let context = AppContext(self.desk.app)
            async let child = code { try context.push() }
            #expect(await child == .notOwner)
            #expect(!context.isPushed)
            #expect(Current.context === outer)
        }
        #expect(self.desk.events().isEmpty)
    }

    @Test("A child pushes in a scope of its own.")
    func childScope() async throws {
        try await withAppContext(self.base.app) { outer async throws in
            async let child: Void = withAppContext(self.base.app) { _ async throws in
                let context = AppContext(self.desk.app)
                try context.push()
                #expect(Current.context === context)
                try await context.pop()
            }
            try await child
            #expect(Current.context === outer)
        }
    }

    @Test("A push by the owner is not seen by a child that runs already.")
    func childSeesTheBase() async throws {
        try await withAppContext(self.base.app) { outer async throws in
            let pushed = Gate()
            async let child = { @Sendable in
                await pushed.wait()
                return Current.context
            }()
            let context = AppContext(self.desk.app)
            try context.push()
            pushed.open()
            #expect(await child === outer)
            try await context.pop()
        }
    }

    @Test("A task without a scope cannot push.")
    func noScope() {
        #expect(code { try AppContext(self.desk.app).push() } == .noScope)
        #expect(code { try App.RequestContext(self.desk.app, get()).push() } == .noScope)
        #expect(self.desk.events().isEmpty)
    }

    @Test("A scope of variables takes a push, and what is left in it is a leak.")
    func variablesOnly() throws {
        let variable = ContextVariable("n", default: 0)
        let context = AppContext(self.desk.app)
        try variable.withValue(1) { () throws in
            try context.push()
            #expect(Current.context === context)
            try context.pop()
        }
        #expect(!hasAppContext())
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A task that outlives the scope cannot push into it.")
    func ended() async {
        let ended = Gate()
        let context = AppContext(self.desk.app)
        let task = await withAppContext(self.base.app) { _ async in
            Task {
                await ended.wait()
                return code { try context.push() }
            }
        }
        ended.open()
        #expect(await task.value == .contextEnded)
    }

    @Test("A push inside a scope of variables may be popped outside it, and the other way round.")
    func acrossVariableScopes() throws {
        let variable = ContextVariable("n", default: 0)
        let cache = RecyclableVariable<Int>("cache")
        try withAppContext(self.base.app) { _ throws in
            let request = App.RequestContext(self.desk.app, get())
            try variable.withValue(1) { () throws in try request.push() }
            #expect(Current.requestContext === request)
            try cache.set(1)
            try request.pop()
            #expect(cache.miss != nil)
            try request.push()
            try cache.set(2)
            try variable.withValue(1) { () throws in
                #expect(cache.get(default: 0) == 2)
                try request.pop()
                #expect(cache.get(default: 0) == 0)
            }
            try cache.set(3)
            #expect(cache.get(default: 0) == 3)
        }
    }
}
