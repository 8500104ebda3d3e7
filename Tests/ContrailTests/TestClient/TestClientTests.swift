// The test client: what is current after a request, and what is not.

import Contrail
import ContrailRecorder
import Dispatch
import HTTPTypes
import Testing

/// An app with routes for the client, and what ran.
struct ClientDesk: Sendable {
    let app: App
    let log = Log()
    let recorder = FlightRecorder(configuration: .init(level: .lifecycle))

    init(config: App.Config = App.Config(testing: true), sessions: (any SessionInterface)? = MemorySessions()) throws {
        self.app = App("shop", recorder: self.recorder, config: config, sessions: sessions)
        let log = self.log
        try self.app.teardownRequest("request") { context, _ in log.add("request \(context.path)") }
        try self.app.teardownAppContext("app") { _, _ in log.add("app") }
        try self.app.route("/a/<int:n>") { context in
            try context.g["n"] = context.viewArgs?["n"]?.intValue ?? 0
            try context.session.set("n", .int(context.viewArgs?["n"]?.intValue ?? 0))
            return "a"
        }
        try self.app.route("/g") { context in App.Response("\(try context.g.names)") }
        try self.app.route("/boom") { _ in throw Boom() }
        try self.app.route("/echo", methods: [.get, .post, .put, .patch, .delete, .options]) { context in
            let type = context.request.headerFields[.contentType] ?? "-"
            return App.Response("\(context.method.rawValue) \(type) \(String(decoding: context.body, as: UTF8.self))")
        }
        try self.app.route("/to/<string:code>", methods: [.get, .post, .put]) { context in
            let code = Int(context.viewArgs?["code"]?.stringValue ?? "") ?? 0
            let location = context.args["to"] ?? "/a/9"
            return App.Response(status: .init(code: code), headerFields: [.location: location])
        }
        try self.app.route("/cookies") { context in
            App.Response(context.request.headerFields[values: .cookie].joined(separator: " | "))
        }
        try self.app.route("/set/deep/cookie") { context in
            var response: App.Response = "set"
            for line in context.args.all("c") {
                response.headerFields.append(HTTPField(name: .setCookie, value: line))
            }
            return response
        }
    }

    func problems() -> [TrailEvent.Problem] {
        var problems: [TrailEvent.Problem] = []
        while let event = self.recorder.takeEvent() {
            if case .problem(let problem) = event.body { problems.append(problem) }
        }
        return problems
    }
}

@Suite("The test client")
struct TestClientTests {
    private let desk: ClientDesk

    init() throws {
        self.desk = try ClientDesk()
    }

    @Test("TST-01: without a scope, contexts are gone when the call returns, after one teardown.")
    func plain() throws {
        let client = self.desk.app.testClient()
        #expect(try client.get("/a/1").text == "a")
        #expect(!hasAppContext() && !hasRequestContext())
        #expect(self.desk.log.lines == ["request /a/1", "app"])
        #expect(self.desk.problems().isEmpty)
    }

    @Test("TST-02: in a preserving scope the test reads g, request and session of the last request.")
    func preserving() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            #expect(!hasRequestContext())
            try client.get("/a/1?q=x")
            #expect(self.desk.log.lines == ["request /a/1", "app"])
            #expect(try Current.g.get("n", as: Int.self) == 1)
            #expect(try Current.request.path == "/a/1?q=x")
            #expect(try Current.session["n"] == 1)
            #expect(Current.requestContext?.viewArgs == ["n": .int(1)])
        }
        #expect(!hasAppContext() && !hasRequestContext())
        #expect(self.desk.log.lines == ["request /a/1", "app", "request /a/1", "app"])
        #expect(self.desk.problems().isEmpty)
    }

    @Test("TST-02: the next request pops what was preserved before it begins.")
    func nextRequest() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/a/1")
            try client.get("/a/2")
            #expect(
                self.desk.log.lines == ["request /a/1", "app", "request /a/1", "app", "request /a/2", "app"]
            )
            #expect(try Current.g.get("n", as: Int.self) == 2)
            #expect(try client.get("/g").text == "[]")
        }
        #expect(self.desk.log.lines.count == 12)
    }

    @Test("TST-02: the preserved contexts send their signals again.")
    func signals() throws {
        let client = self.desk.app.testClient()
        let counter = Counter()
        let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in
            counter.next()
        }
        try client.preserving { client in
            try client.get("/a/1")
            #expect(counter.value == 2)
        }
        Signals.appContextPushed.disconnect(connection)
    }

    @Test("TST-02: on a bare thread it works as in a task.")
    func bareThread() async throws {
        let desk = self.desk
        try await onThread {
            try desk.app.testClient().preserving { client in
                try client.get("/a/3")
                #expect(try Current.g.get("n", as: Int.self) == 3)
            }
            #expect(!hasAppContext())
        }
        #expect(desk.log.lines.count == 4)
        #expect(desk.problems().isEmpty)
    }

    @Test("TST-02: async hooks and views run with the async forms.")
    func asynchronous() async throws {
        let desk = try ClientDesk()
        let log = desk.log
        try desk.app.teardownRequest("async") { context, _ in
            await Task.yield()
            log.add("async \(context.path)")
        }
        try desk.app.route("/async") { context async throws in
            await Task.yield()
            try context.g["n"] = 7
            return "async"
        }
        let client = desk.app.testClient()
        try await client.preserving { client in
            let response = try await client.get("/async")
            #expect(response.text == "async")
            #expect(try Current.g.get("n", as: Int.self) == 7)
        }
        #expect(
            log.lines
                == ["async /async", "request /async", "app", "async /async", "request /async", "app"]
        )
        let missing = try await client.preserving { try await $0.get("/nothing").status }
        #expect(missing == .notFound)
        #expect(!hasAppContext())
    }

    @Test("TST-02: a synchronous request to an app with async hooks is refused before any effect.")
    func asyncHooks() throws {
        let desk = try ClientDesk()
        try desk.app.teardownRequest("async") { _, _ in await Task.yield() }
        let client = desk.app.testClient()
        #expect(code { try client.preserving { _ = try $0.get("/a/1") } } == .asyncHooks)
        #expect(desk.log.lines.isEmpty && !hasAppContext())
    }

    @Test("TST-03: preserved contexts are popped in reverse order, also below what the test pushed and popped.")
    func order() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/a/1")
            let inner = try self.desk.app.testRequestContext("/inner")
            try inner.push()
            #expect(Current.requestContext === inner)
            try inner.pop()
            #expect(try Current.request.path == "/a/1")
        }
        #expect(self.desk.log.lines.suffix(2) == ["request /a/1", "app"])
    }

    @Test("TST-03: what the test left above them refuses the pop; after it is popped, the next request tries again.")
    func refusedPop() throws {
        try withAppContext(App("outer")) { _ throws in
            let client = self.desk.app.testClient()
            var left: App.RequestContext?
            #expect(
                code {
                    try client.preserving { client in
                        try client.get("/a/1")
                        left = try self.desk.app.testRequestContext("/left").enter()
                    }
                } == .notActive
            )
            try left?.pop()
            #expect(try Current.request.path == "/a/1")
            try client.get("/a/2")
            #expect(!hasRequestContext())
        }
    }

    @Test("TST-04: a client cannot preserve inside itself, and can again afterwards.")
    func nesting() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            #expect(code { try client.preserving { _ in } } == .clientNested)
            try client.get("/a/1")
            #expect(hasRequestContext())
        }
        try client.preserving { client in
            try client.get("/a/2")
            #expect(try Current.g.get("n", as: Int.self) == 2)
        }
    }

    @Test("TST-05: after a request that throws nothing stays, and the next one's contexts are preserved alone.")
    func failing() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/a/1")
            #expect(throws: Boom()) { try client.get("/boom") }
            #expect(!hasAppContext() && !hasRequestContext())
            try client.get("/a/2")
            #expect(try Current.g.get("n", as: Int.self) == 2)
        }
        // Once for the failure, twice for each of the others.
        #expect(self.desk.log.lines.filter { $0 == "app" }.count == 5)
        #expect(!hasAppContext())
    }

    @Test("TST-05: a session that cannot be opened again is the error of the call, and nothing stays.")
    func unopenedSession() throws {
        struct Broken: SessionInterface {
            func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session? { throw Boom() }
            func saveSession(_ session: App.Session, _ context: App.RequestContext, into fields: inout HTTPFields) {}
        }
        let desk = try ClientDesk(config: App.Config(), sessions: Broken())
        try desk.app.testClient().preserving { client in
            #expect(throws: Boom()) { try client.get("/a/1") }
            #expect(!hasAppContext() && !hasRequestContext())
        }
        #expect(try desk.app.testClient().get("/a/1").status == .internalServerError)
    }

    @Test("TST-05: a request that cannot be made up pops nothing.")
    func impossible() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/a/1")
            #expect(code { try client.post("/echo", body: [1], json: 1) } == .invalidRequest)
            #expect(try Current.request.path == "/a/1")
        }
    }

    @Test("An error of the closure leaves, and what was preserved is popped.")
    func closureThrows() throws {
        let client = self.desk.app.testClient()
        #expect(throws: Boom()) {
            try client.preserving { client in
                try client.get("/a/1")
                throw Boom()
            }
        }
        #expect(self.desk.log.lines.count == 4)
        #expect(!hasAppContext())
    }

    @Test("A teardown that fails in the second pass is the error of the call that popped.")
    func failingTeardown() throws {
        let desk = try ClientDesk()
        let counter = Counter()
        try desk.app.teardownRequest("odd") { _, _ in if counter.next() == 2 { throw Boom() } }
        let client = desk.app.testClient()
        let error = #expect(throws: ContextError.self) { try client.preserving { _ = try $0.get("/a/1") } }
        #expect(error?.code == .teardownFailed)
        #expect(error?.errors as? [Boom] == [Boom()])
        #expect(desk.log.lines == ["request /a/1", "app", "request /a/1", "app"])
        #expect(!hasAppContext())
    }

    @Test("TST-06: two preserving clients have a g of their own each, in a task, on a thread and on one of a pool.")
    func twoClients() async throws {
        let desk = self.desk
        try desk.preserveInTwoClients()
        try await onThread { try desk.preserveInTwoClients() }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            DispatchQueue.global().async { continuation.resume(with: Result { try desk.preserveInTwoClients() }) }
        }
        #expect(desk.problems().isEmpty)
    }

    @Test("REQ-03: a request in an app context of the test's own uses that one.")
    func ambient() throws {
        let client = self.desk.app.testClient()
        try withAppContext(self.desk.app) { context throws in
            context.g["mine"] = 1
            #expect(try client.get("/g").text == #"["mine"]"#)
            try client.preserving { client in
                try client.get("/a/1")
                #expect(Current.context === context)
            }
            #expect(context.g.names == ["mine", "n"])
        }
        #expect(self.desk.log.lines.filter { $0 == "app" }.count == 1)
    }

    @Test("TST-12: the contexts that are preserved are those that the view saw.")
    func sameContexts() throws {
        final class Seen: Sendable {
            let context: App.RequestContext
            let app: AppContext?
            init(_ context: App.RequestContext) {
                self.context = context
                self.app = context.appContext
            }
        }
        let desk = try ClientDesk()
        let log = desk.log
        try desk.app.route("/seen") { context in
            try context.g["seen"] = Seen(context)
            log.add("view")
            return "seen"
        }
        try desk.app.testClient().preserving { client in
            try client.get("/seen")
            #expect(log.lines == ["view", "request /seen", "app"])
            let seen = try Current.g.get("seen", as: Seen.self)
            #expect(Current.requestContext === seen.context)
            #expect(Current.context === seen.app)
            try Current.g.remove("seen")
        }
    }

    @Test("A request on another task than the one that preserves is refused before any effect.")
    func foreignTask() async throws {
        let desk = self.desk
        let client = desk.app.testClient()
        try await client.preserving { client in
            let refused = await Task { await code { try await client.get("/a/1") } }.value
            #expect(refused == .notOwner || refused == .noScope)
            async let child = code { try await client.get("/a/1") }
            #expect(await child == .notOwner)
        }
        #expect(desk.log.lines.isEmpty)
    }

    @Test("Requests at once, each in its own context, keep their cookies.")
    func concurrent() async throws {
        let desk = self.desk
        let client = desk.app.testClient()
        try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<50 { group.addTask { try await client.get("/a/\(number)").text } }
            for try await text in group { #expect(text == "a") }
        }
        #expect(client.cookie("session") != nil)
        #expect(desk.log.lines.count == 100)
    }
}

extension ClientDesk {
    fileprivate func preserveInTwoClients() throws {
        try self.app.testClient().preserving { first in
            try first.get("/a/1")
            try self.app.testClient().preserving { second in
                let response = try second.get("/g")
                #expect(response.text == "[]")
                #expect(try Current.g.names == [])
            }
            #expect(try Current.g.get("n", as: Int.self) == 1)
        }
        #expect(!hasAppContext())
    }
}

@Suite("Methods and bodies of the test client")
struct TestClientRequestTests {
    private let client: TestClient

    init() throws {
        self.client = try ClientDesk().app.testClient()
    }

    @Test("Each method sends itself.")
    func methods() throws {
        #expect(try self.client.get("/echo").text == "GET - ")
        #expect(try self.client.head("/echo").status == .ok)
        #expect(try self.client.options("/echo").text == "OPTIONS - ")
        #expect(try self.client.post("/echo", body: Array("x".utf8)).text == "POST - x")
        #expect(try self.client.put("/echo", body: Array("x".utf8)).text == "PUT - x")
        #expect(
            try self.client.patch("/echo", json: ["b": 1, "a": 2]).text == #"PATCH application/json {"a":2,"b":1}"#
        )
        #expect(try self.client.delete("/echo").text == "DELETE - ")
        #expect(try self.client.open("/echo", method: .post).text == "POST - ")
    }

    @Test("Each method sends itself from an async caller.")
    func asyncMethods() async throws {
        #expect(try await self.client.get("/echo").text == "GET - ")
        #expect(try await self.client.head("/echo").status == .ok)
        #expect(try await self.client.options("/echo").text == "OPTIONS - ")
        #expect(try await self.client.post("/echo", json: [1]).text == "POST application/json [1]")
        #expect(try await self.client.put("/echo", body: Array("x".utf8)).text == "PUT - x")
        #expect(try await self.client.patch("/echo").text == "PATCH - ")
        #expect(try await self.client.delete("/echo").text == "DELETE - ")
    }

    @Test("A page of the app comes back as a response when errors do not propagate.")
    func pages() throws {
        let client = try ClientDesk(config: App.Config()).app.testClient()
        #expect(try client.get("/boom").status == .internalServerError)
        #expect(try client.get("/nothing").isBuiltInPage)
        let refused = try client.post("/a/1")
        #expect(refused.status == .methodNotAllowed)
        #expect(refused.headerFields[.allow] == "GET, HEAD")
    }
}

@Suite("Redirects of the test client")
struct TestClientRedirectTests {
    private let desk: ClientDesk

    init() throws {
        self.desk = try ClientDesk()
    }

    @Test("A redirect is the response, unless it is to be followed.")
    func notFollowed() throws {
        let client = self.desk.app.testClient()
        #expect(try client.get("/to/302").status == .found)
        #expect(try client.get("/to/302", followRedirects: true).text == "a")
    }

    @Test("TST-07: of redirects only the last request's contexts are preserved, and the session is in its final state.")
    func preserved() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/to/302?to=/to/303?to=/a/4", followRedirects: true)
            #expect(try Current.request.path == "/a/4")
            #expect(try Current.session["n"] == 4)
            #expect(self.desk.log.lines.filter { $0 == "app" }.count == 3)
        }
        #expect(self.desk.log.lines.filter { $0 == "app" }.count == 4)
        #expect(self.desk.log.lines.last == "app" && self.desk.log.lines.dropLast().last == "request /a/4")
    }

    @Test("301, 302 and 303 ask with GET and without a body; 307 and 308 repeat the request.")
    func methods() throws {
        let client = self.desk.app.testClient()
        for code in [301, 302, 303] {
            #expect(try client.post("/to/\(code)?to=/echo", json: 1, followRedirects: true).text == "GET - ")
        }
        for code in [307, 308] {
            let response = try client.put("/to/\(code)?to=/echo", json: 1, followRedirects: true)
            #expect(response.text == "PUT application/json 1")
        }
    }

    @Test("A place may be given in any form that stays within the app.")
    func places() throws {
        let config = App.Config(testing: true, serverName: "shop.test:8080", applicationRoot: "/api")
        let client = try ClientDesk(config: config).app.testClient()
        for place in [
            "/a/5", "/api/a/5", "http://shop.test:8080/api/a/5", "https://shop.test:8080/a/5",
            "//shop.test:8080/a/5#x",
        ] {
            let path = "/to/302?to=" + place.replacing("#", with: "%23")
            #expect(try client.get(path, followRedirects: true).text == "a", "\(place)")
        }
        #expect(try client.get("/to/302?to=303?to=/a/6", followRedirects: true).text == "a")
    }

    @Test("A redirect to another host is refused.")
    func external() throws {
        let client = self.desk.app.testClient()
        #expect(code { try client.get("/to/302?to=http://evil.test/", followRedirects: true) } == .invalidRedirect)
        #expect(code { try client.get("/to/302?to=//evil.test/", followRedirects: true) } == .invalidRedirect)
        #expect(try client.get("/to/302?to=//evil.test/").status == .found)
    }

    @Test("A circle of redirects and an endless row of them are refused, and nothing is preserved.")
    func endless() throws {
        let desk = try ClientDesk()
        try desk.app.route("/up/<int:n>") { context in
            let next = (context.viewArgs?["n"]?.intValue ?? 0) + 1
            return App.Response(status: .found, headerFields: [.location: "/up/\(next)"])
        }
        try desk.app.route("/circle") { _ in App.Response(status: .found, headerFields: [.location: "/circle"]) }
        try desk.app.testClient().preserving { client in
            #expect(code { try client.get("/circle", followRedirects: true) } == .invalidRedirect)
            #expect(!hasAppContext())
            #expect(code { try client.get("/up/0", followRedirects: true) } == .invalidRedirect)
            #expect(!hasAppContext())
        }
        #expect(desk.log.lines.filter { $0 == "app" }.count == 22)
    }
}
