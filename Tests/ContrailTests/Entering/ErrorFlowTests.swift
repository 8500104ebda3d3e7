// Which error leaves a closure form, how it is typed, and on which actor the closure runs.

import Contrail
import ContrailRecorder
import Testing

@Suite("Errors and isolation")
struct ErrorFlowTests {
    private let desk = Desk()

    @Test("A typed error leaves typed.")
    func typedThrows() async {
        func sync() throws(Boom) {
            try withAppContext(self.desk.app) { _ throws(Boom) in throw Boom(name: "a") }
        }
        func request() throws(Boom) {
            try withRequestContext(self.desk.app, get()) { _ throws(Boom) in throw Boom(name: "b") }
        }
        func async() async throws(Boom) {
            try await withRequestContext(self.desk.app, get()) { _ async throws(Boom) in throw Boom(name: "c") }
        }
        do { try sync() } catch { #expect(error.name == "a") }
        do { try request() } catch { #expect(error.name == "b") }
        do { try await async() } catch { #expect(error.name == "c") }
        #expect(self.desk.events().outcomes == [.failed, .failed, .failed, .failed, .failed])
    }

    @Test("A closure that cannot throw needs no try, whatever teardown does.")
    func nonThrowing() async throws {
        try self.desk.app.teardownAppContext { _, _ in throw Boom() }
        withoutTry(self.desk.app)
        await withAppContext(self.desk.app) { _ async in }
        #expect(self.desk.events().hooks.map(\.error) == ["boom", "boom"])
    }

    private func withoutTry(_ app: App) {
        withAppContext(app) { _ in }
    }

    @Test("The closure's error stays primary when teardown throws as well.")
    func bodyErrorIsPrimary() async throws {
        try self.desk.app.teardownAppContext("h") { _, _ in throw Boom(name: "hook") }
        await #expect(throws: Boom(name: "body")) {
            try await withAppContext(self.desk.app) { _ async throws in throw Boom(name: "body") }
        }
        #expect(self.desk.events().hooks.map(\.error) == ["hook"])
    }

    @Test("When only teardown throws, its errors leave together, flat and in order.")
    func teardownFailed() throws {
        try self.desk.app.teardownAppContext { _, _ in throw Boom(name: "app") }
        try self.desk.app.teardownRequest { _, _ in throw Boom(name: "first") }
        try self.desk.app.teardownRequest { _, _ in throw Boom(name: "second") }
        let error = #expect(throws: ContextError.self) {
            try withRequestContext(self.desk.app, get()) { _ throws in }
        }
        #expect(error?.code == .teardownFailed)
        #expect(error?.errors.map { "\($0)" } == ["second", "first", "app"])
    }

    @Test("A typed error that teardown's cannot become leaves it to the trail.")
    func teardownErrorOfAnotherType() throws {
        try self.desk.app.teardownAppContext { _, _ in throw Boom(name: "hook") }
        try withAppContext(self.desk.app) { _ throws(Boom) in }
        #expect(self.desk.events().hooks.map(\.error) == ["hook"])
    }

    private actor Owner {
        var count = 0

        func work(_ app: App) async {
            await withAppContext(app) { _ in
                self.count += 1
                await Task.yield()
                self.count += 1
                self.assertIsolated()
            }
            await withRequestContext(app, get()) { _ async in
                self.assertIsolated()
                self.count += 1
            }
        }
    }

    @Test("On an actor the closure runs on that actor.")
    func actorIsolation() async {
        let owner = Owner()
        await owner.work(self.desk.app)
        #expect(await owner.count == 3)
    }

    @MainActor
    @Test("On the main actor the closure runs on the main actor.")
    func mainActorIsolation() async {
        await withAppContext(self.desk.app) { _ in
            MainActor.assertIsolated()
            await Task.yield()
            MainActor.assertIsolated()
        }
    }

    @Test("An error names its code, its site and what to do.")
    func description() {
        let line = #line + 1
        let error = #expect(throws: ContextError.self) { try AppContext(self.desk.app).pop() }
        #expect(error?.code == .notPushed)
        #expect(error?.line == line)
        #expect(error?.fileID == #fileID)
        #expect(error?.description.contains("push it first") == true)
        #expect(error == error)
    }
}
