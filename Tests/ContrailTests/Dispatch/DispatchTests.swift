// A whole request through an app, where the vectors do not reach: async handlers, tasks, typed handlers, the end of the setup.

import ContextVariables
import Contrail
import ContrailRecorder
import HTTPTypes
import Testing

@Suite("Dispatch")
struct DispatchTests {
    private let desk = Desk()
    private let log = Log()

    private struct Refused: Error, Equatable {
        let reason: String
    }

    private struct Halt: ProcessLevelError {}

    @Test("Async functions are called in the same order as sync ones, and their answers count.")
    func asyncFunctions() async throws {
        let app = self.desk.app
        let log = self.log
        try app.prepareRequest { _ in log.add("before sync") }
        try app.prepareRequest { _ async in
            await Task.yield()
            log.add("before async")
        }
        try app.route("/orders/<int:id>", methods: [.post]) { context async throws -> App.Response in
            await Task.yield()
            log.add("view \(context.viewArgs?["id"]?.description ?? "-") \(try Current.request.method)")
            throw Refused(reason: "sold out")
        }
        try app.errorHandler(for: Refused.self) { _, error async -> App.Response in
            await Task.yield()
            return App.Response(error.reason, status: .conflict)
        }
        try app.afterRequest { _, response async -> App.Response in
            var response = response
            response.headerFields[.server] = "desk"
            return response
        }
        let request = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/orders/7")
        let response = try await app.dispatch(request)
        #expect(response.status == .conflict)
        #expect(response.text == "sold out")
        #expect(response.headerFields[.server] == "desk")
        #expect(self.log.lines == ["before sync", "before async", "view 7 POST"])
        #expect(self.desk.events().outcomes == [.handled, .handled])
    }

    @Test("With anything async registered a sync dispatch is refused before any effect.")
    func syncWithAsync() throws {
        try self.desk.app.route("/") { _ async in "late" }
        let app = self.desk.app
        #expect(code { _ = try syncDispatch(app, get("/")) } == .asyncHooks)
        #expect(self.desk.events().isEmpty)
        #expect(!app.isSetupFinished)
    }

    @Test("A task without a scope gets one for the length of the call, and nothing stays current.")
    func inTask() async throws {
        try self.desk.app.route("/") { _ in "ok" }
        let app = self.desk.app
        let text = try await Task.detached { () async throws -> String in
            let text = try await app.dispatch(get("/")).text
            #expect(!hasAppContext())
            return text
        }.value
        #expect(text == "ok")
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("What a view leaves pushed makes the pop fail; in a task its scope then tears everything down as leaks.")
    func leftoverInTask() async throws {
        let popped = Gate()
        let connection = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in popped.open() }
        defer { Signals.appContextPopped.disconnect(connection) }
        let other = Desk("other")
        try self.desk.app.route("/") { _ in
            try AppContext(other.app).push()
            return "ok"
        }
        let app = self.desk.app
        let failure = await Task.detached { await code { _ = try await app.dispatch(get("/")) } }.value
        #expect(failure == .notActive)
        await popped.wait()
        #expect(self.desk.events().problems.map(\.problem.kind).contains(.leak))
    }

    @Test("After the first request nothing can be registered any more, whatever became of it (TD-13).")
    func setupFinished() throws {
        let app = self.desk.app
        #expect(try app.dispatch(get("/nowhere")).status == .notFound)
        #expect(app.isSetupFinished)
        #expect(code { try app.route("/") { _ in "late" } } == .setupFinished)
        #expect(code { try app.beforeRequest { _ in nil } } == .setupFinished)
        #expect(code { try app.prepareRequest { _ in } } == .setupFinished)
        #expect(code { try app.afterRequest { $1 } } == .setupFinished)
        #expect(code { try app.errorHandler(code: 404) { _, _ in "late" } } == .setupFinished)
        #expect(code { try app.teardownAppContext { _, _ in } } == .setupFinished)
        #expect(code { try app.closeRequest { _ in } } == .setupFinished)
        #expect(code { try app.urlValuePreprocessor { _ in } } == .setupFinished)
    }

    @Test("Of several handlers for an error the one registered last answers, and a code wins over a type.")
    func handlerOrder() throws {
        let app = self.desk.app
        try app.errorHandler(for: Refused.self) { _, _ in "first" }
        try app.errorHandler(where: { $0 is Refused }) { _, _ in "second" }
        try app.errorHandler(for: App.Abort.self) { _, abort in "\(abort.code) by type" }
        try app.errorHandler(code: 410) { _, abort in App.Response("gone: \(abort.message ?? "")", status: abort.status)
        }
        try app.route("/refused") { _ in throw Refused(reason: "") }
        try app.route("/gone") { _ in throw App.Abort(410, "for good") }
        try app.route("/teapot") { _ in throw App.Abort(418) }
        #expect(try app.dispatch(get("/refused")).text == "second")
        #expect(try app.dispatch(get("/gone")).text == "gone: for good")
        #expect(try app.dispatch(get("/teapot")).text == "418 by type")
    }

    @Test("Who answers HTTP errors by type answers the 500 of an error that nobody handles (LIF-07).")
    func unhandledByType() throws {
        let app = self.desk.app
        try app.errorHandler(for: App.Abort.self) { _, abort in
            App.Response("\(abort.code) for \(abort.original.map { "\($0)" } ?? "-")", status: abort.status)
        }
        try app.route("/") { _ in throw Boom() }
        let response = try app.dispatch(get("/"))
        #expect(response.text == "500 for \(Boom())")
        #expect(response.status == .internalServerError)
    }

    @Test("A handler for the code 500 answers before one for the type of HTTP errors.")
    func unhandledByCode() throws {
        let app = self.desk.app
        try app.errorHandler(for: App.Abort.self) { _, _ in "by type" }
        try app.errorHandler(code: 500) { _, _ in "by code" }
        try app.route("/") { _ in throw Boom() }
        #expect(try app.dispatch(get("/")).text == "by code")
    }

    @Test("A handler that fails and takes every error is asked once more, with the 500.")
    func failingHandler() throws {
        let app = self.desk.app
        let log = self.log
        try app.errorHandler(where: { _ in true }) { _, error in
            log.add("\(type(of: error))")
            throw error
        }
        try app.route("/") { _ in throw Boom() }
        #expect(throws: App.Abort.self) { try app.dispatch(get("/")) }
        #expect(self.log.lines == ["Boom", "Abort"])
    }

    @Test("A cancellation and an error of the process leave the dispatch; nobody answers them (LIF-09).")
    func processLevel() throws {
        let app = self.desk.app
        let log = self.log
        try app.errorHandler(where: { _ in true }) { _, _ in "handled" }
        try app.route("/halt") { _ in throw Halt() }
        try app.route("/cancel") { _ in throw CancellationError() }
        let connection = Signals.gotRequestException.connect(to: app) { _, _ in log.add("signal") }
        defer { Signals.gotRequestException.disconnect(connection) }
        #expect(throws: Halt.self) { try app.dispatch(get("/halt")) }
        #expect(throws: CancellationError.self) { try app.dispatch(get("/cancel")) }
        #expect(self.log.lines.isEmpty)
        #expect(self.desk.events().outcomes == [.failed, .failed, .aborted, .aborted])
    }

    @Test("A failure of answering a failure is in the trail, and the response goes out.")
    func failingTwice() throws {
        let app = self.desk.app
        try app.route("/") { _ in throw Boom() }
        try app.afterRequest { _, _ in throw Boom() }
        let response = try app.dispatch(get("/"))
        #expect(response.status == .internalServerError)
        #expect(response.isBuiltInPage)
        let steps = self.desk.events().compactMap { event -> String? in
            if case .error(let step, let text) = event.body { "\(step): \(text)" } else { nil }
        }
        #expect(steps == ["finishing the response to a failure: \(Boom())"])
    }

    @Test("An inner dispatch whose push fails leaves the session and the functions of the outer request alone.")
    func failedInnerPush() throws {
        let outer = App("outer", sessions: MemorySessions())
        let inner = App("inner", sessions: MemorySessions())
        let log = self.log
        let connection = Signals.appContextPushed.connect(to: inner) { _, _ in throw Boom() }
        defer { Signals.appContextPushed.disconnect(connection) }
        try outer.route("/") { context in
            try context.session.set("user", "ada")
            context.afterThisRequest { _, response in
                log.add("after \(response.status.code)")
                return response
            }
            let response = try inner.dispatch(get("/"))
            return App.Response("inner \(response.status.code) \(response.headerFields[.setCookie] ?? "-")")
        }
        let response = try outer.dispatch(get("/"))
        #expect(response.text == "inner 500 -")
        #expect(response.headerFields[.setCookie]?.contains("Max-Age=0") == false)
        #expect(self.log.lines == ["after 200"])
    }

    @Test("Hooks that push and never pop do not keep housekeeping busy for ever.")
    func endlessTeardown() async throws {
        let app = self.desk.app
        let count = Counter()
        let quiet = Gate()
        try app.teardownRequest { _, _ in
            if count.next() == 9 { quiet.open() }
            try App.RequestContext(app, get("/audit")).push()
        }
        try await onThread { try withRequestContextSync(app) { _ in } }
        await quiet.wait()
        // The ninth teardown is the last that calls hooks; its leftovers are recorded as leaks and end without.
        #expect(count.next() >= 10)
        #expect(count.next() <= 24)
    }

    @Test("The page of an error says its reason, once, with the abort's own fields.")
    func errorPage() throws {
        let app = self.desk.app
        try app.route("/html") { _ in throw App.Abort(403, "<p>no</p>", headerFields: [.contentType: "text/html"]) }
        #expect(try app.dispatch(get("/nowhere")).text == "Not Found")
        #expect("\(App.Abort(404))" == "404 Not Found")
        #expect(try app.dispatch(get("/html")).headerFields[values: .contentType] == ["text/html"])
    }

    @Test("A 405 says which methods there are; HEAD is answered by the view for GET.")
    func methods() throws {
        let app = self.desk.app
        try app.route("/orders", methods: [.get, .post]) { _ in "orders" }
        let delete = HTTPRequest(method: .delete, scheme: "http", authority: "localhost", path: "/orders")
        let response = try app.dispatch(delete)
        #expect(response.status == .methodNotAllowed)
        #expect(response.headerFields[.allow] == "GET, HEAD, POST")
        let head = HTTPRequest(method: .head, scheme: "http", authority: "localhost", path: "/orders")
        #expect(try app.dispatch(head).status == .ok)
    }

    @Test("A rule that makes no sense is refused, with what to write instead.")
    func badRules() {
        for rule in ["orders", "/<int:>", "/<float:x>", "/<int:a>/<int:a>", "/<int:a"] {
            #expect(code { try self.desk.app.route(rule) { _ in "" } } == .invalidRule, "\(rule)")
        }
    }

    @Test("The body is there, a route may read the query, and a code that is no status counts as 500.")
    func bodyAndArguments() throws {
        let app = self.desk.app
        try app.route("/echo", methods: [.post]) { context in
            App.Response("\(context.args["q"] ?? "-") \(String(decoding: context.body, as: UTF8.self))")
        }
        try app.route("/odd") { _ in throw App.Abort(7) }
        let post = HTTPRequest(method: .post, scheme: "http", authority: "localhost", path: "/echo?q=a+b")
        #expect(try app.dispatch(post, body: Array("text".utf8)).text == "a b text")
        #expect(try app.dispatch(get("/odd")).status == .internalServerError)
    }

    @Test("A job worker has an app of its own, made from copied configuration; the original is not touched.")
    func copiedConfiguration() throws {
        self.desk.app.config["smtp"] = "mail.example.org"
        self.desk.app.config.testing = true
        let worker = App("orders-worker", config: self.desk.app.config)
        worker.config["smtp"] = "localhost"
        let seen = try Worker(kind: "job:mail", number: 0).run {
            try withAppContext(worker) { context throws in
                #expect(try Current.app === worker)
                return context.app.config.value("smtp", as: String.self)
            }
        }
        #expect(seen == "localhost")
        #expect(worker.config.testing)
        #expect(self.desk.app.config.value("smtp", as: String.self) == "mail.example.org")
        #expect(self.desk.app.config.value("smtp", as: Int.self) == nil)
        #expect(self.desk.app.config.names == ["smtp"])
    }

    @Test("Extensions keep what they have with the app, by name.")
    func extensions() {
        let app = self.desk.app
        app.extensions["pool"] = 7
        #expect(app.extensions.value("pool", as: Int.self) == 7)
        #expect(app.extensions.value("pool", as: String.self) == nil)
        #expect(app.extensions.names == ["pool"])
        app.extensions["pool"] = nil
        #expect(app.extensions["pool"] == nil)
    }

    @Test("An app may make an object of its own for each app context, beside g (G-11).")
    func namespace() throws {
        final class Basket: Sendable {}
        let app = App("shop", namespace: { Basket() })
        try withAppContext(app) { context throws in
            let basket = try Current.namespace(as: Basket.self)
            #expect(try context.namespace(as: Basket.self) === basket)
            try withAppContext(app) { _ throws in
                #expect(try Current.namespace(as: Basket.self) !== basket)
            }
            #expect(code { _ = try Current.namespace(as: Int.self) } == .wrongType)
        }
        #expect(code { _ = try Current.namespace(as: Basket.self) } == .outsideAppContext)
    }
}

/// A synchronous dispatch, for callers in async code.
private func syncDispatch(_ app: App, _ request: HTTPRequest) throws -> App.Response {
    try app.dispatch(request)
}
