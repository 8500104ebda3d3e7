// How lifetimes end, and what becomes of pushes that nobody popped.

import Contrail
import ContrailRecorder
import Testing

@Suite("Outcomes and leftovers")
struct OutcomeTests {
    private let desk = Desk()
    private let log = Log()

    @Test("A closure that returns is ok.")
    func ok() {
        withAppContext(self.desk.app) { _ in }
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("A closure that throws failed, and the trail has the error's text, redacted.")
    func failed() {
        #expect(throws: Boom.self) {
            try withAppContext(self.desk.app) { _ throws in throw Boom(name: "no: password=hunter2") }
        }
        let pop = self.desk.events().pops.first?.pop
        #expect(pop?.outcome == .failed)
        #expect(pop?.error == "no: password=[redacted]")
    }

    @Test("A cancellation aborts, and is no error.")
    func aborted() async {
        await #expect(throws: CancellationError.self) {
            try await withRequestContext(self.desk.app, get()) { _ async throws in throw CancellationError() }
        }
        let pops = self.desk.events().pops
        #expect(pops.map(\.pop.outcome) == [.aborted, .aborted])
        #expect(pops.map(\.pop.error) == [nil, nil])
    }

    @Test("exit tells the error of the body, or none.")
    func exit() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(Desk().app) { _ throws in
            let context = try AppContext(self.desk.app).enter()
            try context.exit(error: Boom())
            try context.enter()
            try context.exit()
        }
        #expect(self.log.lines == ["a failed boom", "a ok"])
    }

    @Test("A pop's own outcome is what hooks and trail get.")
    func popOutcome() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try withAppContext(Desk().app) { _ throws in
            let request = App.RequestContext(self.desk.app, get())
            try request.push()
            try request.pop(outcome: .handled(Boom()))
        }
        #expect(self.log.lines == ["r handled boom", "a handled boom"])
        #expect(self.desk.events().outcomes == [.handled, .handled])
    }

    @Test("Leftovers are torn down top first, as leaks, before the base pops.")
    func leftovers() throws {
        let names = ["x", "y"]
        let desks = names.map { Desk($0) }
        for desk in desks { try desk.logHooks(self.log, app: [desk.app.name]) }
        try self.desk.logHooks(self.log, app: ["base"])
        let line = #line + 2
        try withAppContext(self.desk.app) { _ throws in
            for desk in desks { try AppContext(desk.app).push() }
        }
        #expect(self.log.lines == ["y leaked", "x leaked", "base ok"])
        for desk in desks {
            let events = desk.events()
            #expect(events.outcomes == [.leaked])
            #expect(events.problems.map(\.problem.kind) == [.leak])
            #expect(events.problems.first?.problem.site == Site(line: UInt(line)))
            #expect(events.problems.first?.event.context == events.pushes.first?.event.context)
            #expect(events.problems.first?.problem.message.contains("never popped") == true)
        }
        #expect(self.desk.events().outcomes == [.ok])
    }

    @Test("Leftovers of an async closure are torn down the same way, also when it throws.")
    func asyncLeftovers() async throws {
        let other = Desk("other")
        try other.logHooks(self.log, app: ["other"], request: ["request"])
        try self.desk.logHooks(self.log, app: ["base"])
        await #expect(throws: Boom.self) {
            try await withAppContext(self.desk.app) { _ async throws in
                try App.RequestContext(other.app, get()).push()
                await Task.yield()
                throw Boom()
            }
        }
        #expect(self.log.lines == ["request leaked", "other leaked", "base failed boom"])
    }

    @Test("A leftover's hooks see it as current, and those of the base do not.")
    func leftoverIsCurrent() throws {
        let log = self.log
        let other = Desk("other")
        for desk in [self.desk, other] {
            try desk.app.teardownAppContext { context, _ in
                log.add("\(context.app.name) \(Current.context === context)")
            }
        }
        try withAppContext(self.desk.app) { _ throws in try AppContext(other.app).push() }
        #expect(log.lines == ["other true", "orders true"])
    }

    @Test("A leftover is current for its hooks also when another task finishes the scope.")
    func leftoverFinishedElsewhere() async throws {
        let log = self.log
        let other = Desk("other")
        try other.app.teardownAppContext { context, _ in log.add("\(Current.context === context)") }
        let scope = ContextScope(AppContext(self.desk.app), worker: nil, site: Site())
        try await scope.enter()
        try await scope.run { try AppContext(other.app).push() }
        await Task.detached { _ = await scope.finish(.ok) }.value
        #expect(log.lines == ["true"])
        #expect(other.events().outcomes == [.leaked])
    }

    @Test("A context that was pushed several times by hand leaks once for each push and is torn down once.")
    func multipleLeftovers() throws {
        try self.desk.logHooks(self.log, app: ["a"])
        try withAppContext(Desk().app) { _ throws in
            let context = AppContext(self.desk.app)
            try context.push()
            try context.push()
        }
        #expect(self.log.lines == ["a leaked"])
        let events = self.desk.events()
        #expect(events.problems.count == 2)
        #expect(events.pops.map(\.pop.remaining) == [1, 0])
    }

    @Test("What a leftover's hooks throw leaves with the rest.")
    func leftoverErrors() throws {
        let other = Desk()
        try other.app.teardownAppContext { _, _ in throw Boom(name: "leftover") }
        try self.desk.app.teardownAppContext { _, _ in throw Boom(name: "base") }
        let error = #expect(throws: ContextError.self) {
            try withAppContext(self.desk.app) { _ throws in try AppContext(other.app).push() }
        }
        #expect(error?.errors.map { "\($0)" } == ["leftover", "base"])
    }
}
