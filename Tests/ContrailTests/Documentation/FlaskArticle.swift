// The right-hand side of the article for those who come from Flask.

import ContextVariables
import Contrail
import HTTPTypes
import Testing

@Suite("The article for those who come from Flask")
struct FlaskArticle {
    @Test("Its table of the app and its functions.")
    func app() throws {
        let app = App("orders", sessions: MemorySessions())
        app.config["SENDER"] = "shop@example.org"
        app.extensions["mail"] = "a mailer"
        try app.beforeRequest { _ in nil }
        try app.afterRequest { _, response in response }
        try app.teardownRequest { _, outcome in _ = outcome }
        try app.teardownAppContext { context, outcome in _ = (context, outcome) }
        try app.errorHandler(code: 404) { _, abort in App.Response("gone", status: abort.status) }
        try app.errorHandler(for: Boom.self) { _, error in App.Response("\(error)") }
        try app.route("/orders/<int:id>") { context in
            let id = context.viewArgs?["id"]?.intValue
            let q = context.args["q"]
            if id == 404 { throw App.Abort(404) }
            if id == 500 { throw Boom() }
            context.afterThisRequest { _, response in response }
            try context.session.set("user", "ada")
            let user = try Current.session["user"]
            return "\(id ?? 0) \(q ?? "-") \(user ?? .null)"
        }
        let text = try app.dispatch(get("/orders/7?q=tea")).text
        #expect(text.hasPrefix("7 tea "))
        #expect(try app.dispatch(get("/orders/404")).text == "gone")
        #expect(try app.dispatch(get("/orders/500")).text == "boom")
        #expect(app.config.value("SENDER", as: String.self) == "shop@example.org")
    }

    @Test("Its table of contexts and readers.")
    func contexts() throws {
        let app = App("orders")
        try withAppContext(app) { context in
            context.g["user"] = "ada"
            #expect(try Current.app === app)
            #expect(try Current.g.get("user", default: nil) as? String == "ada")
            #expect(context.g.contains("user"))
            _ = try Current.g.pop("user")
            #expect(hasAppContext() && !hasRequestContext())
        }
        try withRequestContext(app, get()) { context in
            #expect(try Current.request.path == context.path)
            let copied = try copyCurrentRequestContext { try Current.request.path }
            #expect(try copied() == "/orders/7")
        }
        let job = app.wrapping { try Current.app.name }
        #expect(try job() == "orders")
        withCommandContext(app) { context in #expect(context.app === app) }
    }

    @Test("Its table of tests and signals.")
    func tests() throws {
        let app = App("orders", sessions: MemorySessions())
        try app.route("/") { _ in "done" }
        let client = app.testClient()
        try client.preserving { client in
            try client.get("/")
            #expect(try Current.request.path == "/")
        }
        try client.sessionTransaction { session in try session.set("user", "ada") }
        let context = try app.testRequestContext("/?q=tea")
        #expect(context.args["q"] == "tea")
        let log = Log()
        try Signals.requestStarted.connected(
            to: app,
            { _, _ in log.add("started") },
            during: { () throws in
                _ = try client.get("/")
            }
        )
        #expect(log.lines == ["started"])
    }

    @Test("Its table of variables.")
    func variables() throws {
        let name = ContextVariable<String>("name", default: "none")
        let cache = RecyclableVariable<[String]>("cache")
        try Worker(kind: "job", number: 1).run { () throws in
            let token = try name.set("ada")
            try name.reset(token)
            try cache.set([])
            #expect(cache.get(default: ["gone"]) == [])
            Worker.current?.recycle()
            #expect(cache.get(default: ["gone"]) == ["gone"])
        }
    }
}
