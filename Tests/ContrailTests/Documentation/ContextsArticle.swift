// The code of the article on contexts.

import Contrail
import HTTPTypes
import Testing

@Suite("The article on contexts")
struct ContextsArticle {
    @Test("Its app context lends g to what it calls, and its hook closes what is there.")
    func appContext() throws {
        let kept = Log()
        func shipOrders() throws {
            let database = try #require(Current.g["database"] as? OrderDatabase)
            kept.add("\(try Current.app.name) \(database.ending)")
        }
        let app = App("orders")
        try app.teardownAppContext("close_database") { context, outcome in
            (context.g["database"] as? OrderDatabase)?.close(keeping: outcome.error == nil)
        }
        let database = OrderDatabase()

        try withAppContext(app) { context in
            context.g["database"] = database
            try shipOrders()  // reads Current.app and Current.g
        }
        #expect(kept.lines == ["orders open"])
        #expect(database.ending == "committed")
    }

    @Test("Its dispatched request goes through its functions.")
    func dispatched() throws {
        let app = App("orders", sessions: MemorySessions())
        try app.beforeRequest("maintenance") { context in
            context.path == "/closed" ? App.Response("back soon", status: .serviceUnavailable) : nil
        }
        try app.route("/orders/<int:id>") { context in
            let id = context.viewArgs?["id"]?.intValue ?? 0
            if id > 1000 { throw App.Abort(404, "no such order") }
            try context.session.set("last", .int(id))
            return "order \(id)"
        }
        try app.errorHandler(code: 404, "not_found") { _, abort in
            App.Response(abort.message ?? "nothing here", status: .notFound)
        }

        let response = try app.dispatch(HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/7"))
        #expect(response.text == "order 7")
        #expect(response.headerFields[.setCookie] != nil)
        #expect(try app.dispatch(get("/closed")).text == "back soon")
        #expect(try app.dispatch(get("/orders/4711")).text == "no such order")
        #expect(try app.dispatch(get("/else")).text == "nothing here")
    }

    @Test("Its push by hand is popped by hand.")
    func byHand() throws {
        let app = App("orders")
        try withAppContext(App("outer")) { outer throws in
            let context = AppContext(app)
            try context.push()
            // Current.app is `app` here.
            #expect(try Current.app === app)
            try context.pop()
            #expect(Current.context === outer)
        }
    }

    @Test("Its error says what is missing.")
    func outside() {
        var message = ""
        do {
            _ = try Current.g
        } catch {
            message = error.message  // what is missing, on which worker, and how to get it
        }
        #expect(message.contains("withAppContext"))
    }
}
