// The closure forms: what is current inside, and that nothing is afterwards.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Testing

@Suite("Closure forms")
struct ClosureFormTests {
    private let desk = Desk()

    @Test("The app context is current inside and gone after.")
    func appContext() throws {
        try withAppContext(self.desk.app) { context throws in
            #expect(Current.context === context)
            #expect(try Current.app === self.desk.app)
            #expect(try Current.g == context.g)
            #expect(context.isPushed)
        }
        #expect(Current.context == nil)
        #expect(code { _ = try Current.app } == .outsideAppContext)
        #expect(code { _ = try Current.g } == .outsideAppContext)
    }

    @Test("The app context is current across suspensions and in children.")
    func asyncAppContext() async throws {
        try await withAppContext(self.desk.app) { context async throws in
            await Task.yield()
            #expect(Current.context === context)
            async let child = Current.context
            #expect(await child === context)
            #expect(await Task { Current.context }.value === context)
            #expect(await Task.detached { Current.context }.value == nil)
        }
        #expect(Current.context == nil)
    }

    @Test("An app context has no request.")
    func noRequest() {
        withAppContext(self.desk.app) { _ in
            #expect(code { _ = try Current.request } == .outsideRequestContext)
            #expect(Current.requestContext == nil)
        }
    }

    @Test("The request context is current inside and gone after.")
    func requestContext() throws {
        try withRequestContext(self.desk.app, get("/a?b=c")) { context throws in
            #expect(Current.requestContext === context)
            #expect(try Current.request.path == "/a?b=c")
            #expect(Current.context === context.appContext)
            #expect(try context.g == Current.g)
        }
        #expect(Current.requestContext == nil)
        #expect(code { _ = try Current.request } == .outsideRequestContext)
    }

    @Test("The request context is current across suspensions.")
    func asyncRequestContext() async {
        await withRequestContext(self.desk.app, get()) { context in
            await Task.yield()
            #expect(Current.requestContext === context)
        }
        #expect(Current.requestContext == nil)
    }

    @Test("Each app context has a g of its own, and the outer one comes back.")
    func nestedAppContexts() {
        withAppContext(self.desk.app) { outer in
            outer.g["n"] = 1
            withAppContext(self.desk.app) { inner in
                #expect(Current.context === inner)
                #expect(!inner.g.contains("n"))
            }
            #expect(Current.context === outer)
        }
    }

    @Test("A request shares the current app context of its app, and leaves it running.")
    func requestReusesAppContext() {
        withAppContext(self.desk.app) { outer in
            withRequestContext(self.desk.app, get()) { request in
                #expect(request.appContext === outer)
                outer.g["n"] = 1
                #expect((try? request.g.get("n", as: Int.self)) == 1)
            }
            #expect(Current.context === outer)
        }
        #expect(self.desk.kinds().count { $0 == .appPush } == 1)
    }

    @Test("A request of another app object pushes an app context of its own, though the names are the same.")
    func requestOfAnotherApp() {
        let other = Desk("orders")
        withAppContext(self.desk.app) { outer in
            withRequestContext(other.app, get()) { request in
                #expect(request.appContext !== outer)
                #expect(Current.context?.app === other.app)
            }
            #expect(Current.context === outer)
        }
    }

    @Test("Only the app context on top counts for reuse.")
    func onlyTheTopCounts() {
        let other = Desk()
        withAppContext(self.desk.app) { outer in
            withAppContext(other.app) { _ in
                withRequestContext(self.desk.app, get()) { request in #expect(request.appContext !== outer) }
            }
        }
    }

    @Test("An app context inside a request keeps the request, though it be another app's.")
    func mixedLayers() {
        let other = Desk()
        withRequestContext(self.desk.app, get()) { request in
            withAppContext(other.app) { _ in
                #expect(Current.context?.app === other.app)
                #expect(Current.requestContext === request)
            }
        }
    }

    @Test("The events of a request in their order, each app context paired.")
    func events() throws {
        try self.desk.app.teardownRequest("r") { _, _ in }
        try self.desk.app.teardownAppContext("a") { _, _ in }
        withRequestContext(self.desk.app, get(), worker: .init(kind: "conn", number: 1)) { _ in }
        let events = self.desk.events()
        #expect(
            events.map(\.kind) == [.recycle, .appPush, .requestPush, .teardown, .requestPop, .teardown, .appPop]
        )
        #expect(events.pushes.map(\.event.context) == [1, 2])
        #expect(events.pushes.map(\.push.parent) == [nil, 1])
        #expect(events.pops.map(\.event.context) == [2, 1])
        #expect(events.hooks.map(\.hook) == ["r", "a"])
    }

    @Test("A push names its site, its app and what was requested, without the query.")
    func pushEvent() throws {
        let line = #line + 1
        withRequestContext(self.desk.app, get("/a?token=x")) { _ in }
        let push = try #require(self.desk.events().pushes.last?.push)
        #expect(push.site == Site(line: UInt(line)))
        #expect(push.app == "orders")
        #expect(push.request?.path == "/a")
        #expect(push.request?.method == "GET")
        #expect(push.origin == .manual)
        #expect(push.depth == 1)
    }

    @Test("A nested app context has the one around it as its parent, unless that is in another trail.")
    func parents() {
        let other = Desk()
        withAppContext(self.desk.app) { _ in
            withAppContext(self.desk.app) { _ in }
            withAppContext(other.app) { _ in }
        }
        #expect(self.desk.events().pushes.map(\.push.parent) == [nil, 1])
        #expect(other.events().pushes.map(\.push.parent) == [nil])
    }

    @Test("What the closure returns is returned.")
    func results() async {
        #expect(withAppContextResult(self.desk.app) == 7)
        #expect(await withAppContext(self.desk.app) { _ async in 8 } == 8)
    }

    private func withAppContextResult(_ app: App) -> Int {
        withAppContext(app) { _ in 7 }
    }

    @Test("Clock, ids and randomness come from the app.")
    func drawing() {
        struct Fixed: ContextClock, IDGenerator, RandomSource {
            func now() -> Date { Date(timeIntervalSince1970: 1) }
            func makeID() -> String { "id" }
            func next() -> UInt64 { 7 }
        }
        let app = App("fixed", clock: Fixed(), ids: Fixed(), random: Fixed())
        withAppContext(app) { context in
            #expect(context.now == Date(timeIntervalSince1970: 1))
            #expect(context.makeID() == "id")
            var random = context.random
            #expect(random.next() == 7)
            #expect(context.value("rate") { 3 } == 3)
        }
    }
}
