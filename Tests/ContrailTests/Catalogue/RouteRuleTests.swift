// What routes do with hosts and names, and what is known of them when a session opens.

import Contrail
import HTTPTypes
import Testing

@Suite("Routes and what they do not do")
struct RouteRuleTests {
    /// A store that writes down what it knows of the route.
    private struct Asking: SessionInterface {
        let log: Log

        func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session? {
            self.log.add("open \(context.endpoint ?? "-") \(try Current.request.path ?? "-")")
            return App.Session()
        }

        func saveSession(_ session: App.Session, _ context: App.RequestContext, into fields: inout HTTPFields) throws {}
    }

    @Test("SES-04: a session is opened before the app's own route is known, and with the request current.")
    func endpointWhileOpening() throws {
        let log = Log()
        let app = App("asked", sessions: Asking(log: log))
        try app.route("/orders/<int:id>") { _ in "" }
        _ = try app.dispatch(get("/orders/7"))
        try withAppContext(Desk().app) { _ throws in
            let context = App.RequestContext(app, get("/orders/8"), endpoint: "/orders/{id}")
            try context.push()
            try context.pop()
        }
        #expect(log.lines == ["open - /orders/7", "open /orders/{id} /orders/8"])
    }

    @Test("URL-04: neither the server's name nor the request's host decides which route is found.")
    func hosts() throws {
        for serverName in [nil, "example.org"] {
            let app = App("hosted", config: App.Config(serverName: serverName))
            try app.route("/") { _ in "found" }
            let request = HTTPRequest(method: .get, scheme: "https", authority: "elsewhere.test", path: "/")
            #expect(try app.dispatch(request).text == "found")
        }
    }
}
