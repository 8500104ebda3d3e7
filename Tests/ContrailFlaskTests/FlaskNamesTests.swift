// Flask's global names, as code that comes from there would use them.

import Contrail
import ContrailFlask
import HTTPTypes
import Testing

@Suite("Flask's names")
struct FlaskNamesTests {
    private func get(_ path: String) -> HTTPRequest {
        HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: path)
    }

    @Test("The names read what is current.")
    func inside() throws {
        let app = App("flask", sessions: MemorySessions())
        try app.route("/hello/<name>") { _ in
            try g["name"] = try request.viewArgs?["name"]?.description
            try session.set("seen", true)
            return
                "hello \(try g.get("name", as: String.self)) from \(try currentApp.name), \(try request.args["n"] ?? "-")"
        }
        #expect(try app.dispatch(self.get("/hello/ada?n=7")).text == "hello ada from flask, 7")
    }

    @Test("Outside, each throws what its reader throws (PRX-01, PRX-04).")
    func outside() throws {
        func code(_ body: () throws -> Void) -> ContextError.Code? {
            do {
                try body()
                return nil
            } catch {
                return (error as? ContextError)?.code
            }
        }
        #expect(code { _ = try currentApp } == .outsideAppContext)
        #expect(code { _ = try g } == .outsideAppContext)
        #expect(code { _ = try request } == .outsideRequestContext)
        #expect(code { _ = try session } == .outsideRequestContext)
        try withAppContext(App("flask")) { _ throws in
            #expect(try currentApp.name == "flask")
            #expect(code { _ = try request } == .outsideRequestContext)
        }
    }

    @Test("abort ends the view with the page of its code.")
    func aborting() throws {
        let app = App("flask")
        try app.route("/") { _ in try abort(418, "short and stout") }
        let response = try app.dispatch(self.get("/"))
        #expect(response.status.code == 418)
        #expect(response.text == "short and stout")
        #expect(response.isBuiltInPage)
    }
}
