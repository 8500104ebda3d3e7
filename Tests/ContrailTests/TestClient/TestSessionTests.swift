// Cookies and sessions of the test client.

import Contrail
import HTTPTypes
import Testing

@Suite("Sessions of the test client")
struct TestSessionTests {
    private let desk: ClientDesk

    init() throws {
        self.desk = try ClientDesk()
    }

    @Test("TST-08: a transaction changes the session that the next request gets.")
    func transaction() throws {
        let desk = try ClientDesk()
        try desk.app.route("/n") { context in App.Response("\(try context.session["n"]?.intValue ?? 0)") }
        let client = desk.app.testClient()
        try client.sessionTransaction { session in
            #expect(session.isNew)
            try session.set("n", 7)
        }
        #expect(try client.get("/n").text == "7")
        let value = try client.sessionTransaction { $0["n"] }
        #expect(value == 7)
        #expect(try desk.app.testClient().get("/n").text == "0")
    }

    @Test("TST-08: it is two pushes with a teardown each, and none of it is current in the closure.")
    func teardowns() throws {
        let client = self.desk.app.testClient()
        try client.sessionTransaction { _ in
            #expect(!hasAppContext() && !hasRequestContext())
            #expect(self.desk.log.lines == ["request /", "app"])
        }
        #expect(self.desk.log.lines == ["request /", "app", "request /", "app"])
    }

    @Test("TST-08: the test's own request stays current.")
    func ownRequest() throws {
        let client = self.desk.app.testClient()
        try client.preserving { client in
            try client.get("/a/3")
            try client.sessionTransaction("/other") { session in
                #expect(session["n"] == 3)
                #expect(try Current.request.path == "/a/3")
                try session.set("n", 4)
            }
            #expect(try Current.request.path == "/a/3")
            #expect(try Current.session["n"] == 3)
        }
        #expect(try client.sessionTransaction { $0["n"] } == 4)
    }

    @Test("TST-08: it needs cookies and a session.")
    func refused() throws {
        let without = self.desk.app.testClient(usesCookies: false)
        #expect(code { try without.sessionTransaction { _ in } } == .cookiesDisabled)
        let null = try ClientDesk(sessions: nil)
        #expect(code { try null.app.testClient().sessionTransaction { _ in } } == .sessionUnavailable)
        #expect(null.log.lines == ["request /", "app"])
    }

    @Test("TST-08: when the closure throws, nothing is saved.")
    func throwing() throws {
        let client = self.desk.app.testClient()
        #expect(throws: Boom()) {
            try client.sessionTransaction { session in
                try session.set("n", 1)
                throw Boom()
            }
        }
        #expect(client.cookie("session") == nil)
        #expect(self.desk.log.lines == ["request /", "app"])
    }

    @Test("TST-08: a store that fails leaves with its error, after the teardown.")
    func failingStore() throws {
        struct Broken: SessionInterface {
            func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session? { App.Session() }
            func saveSession(
                _ session: App.Session,
                _ context: App.RequestContext,
                into fields: inout HTTPFields
            ) throws { throw Boom() }
        }
        let desk = try ClientDesk(sessions: Broken())
        #expect(throws: Boom()) { try desk.app.testClient().sessionTransaction { _ in } }
        #expect(desk.log.lines == ["request /", "app", "request /", "app"])
        #expect(!hasAppContext())
    }

    @Test("TST-08: async hooks run with the async form.")
    func asynchronous() async throws {
        let desk = try ClientDesk()
        let log = desk.log
        try desk.app.teardownRequest("async") { _, _ in
            await Task.yield()
            log.add("async")
        }
        let client = desk.app.testClient()
        try await client.sessionTransaction { session in
            await Task.yield()
            try session.set("n", 1)
        }
        let value = try await client.sessionTransaction { session async in session["n"] }
        #expect(value == 1)
        #expect(log.lines.filter { $0 == "async" }.count == 4)
    }

    @Test("TST-08: a synchronous transaction of an app with async hooks is refused before any effect.")
    func asyncHooks() async throws {
        let desk = try ClientDesk()
        try desk.app.teardownAppContext("async") { _, _ in await Task.yield() }
        let refused = try await onThread {
            let refused = code { try desk.app.testClient().sessionTransaction { _ in } }
            #expect(!hasAppContext())
            return refused
        }
        #expect(refused == .asyncHooks)
        #expect(desk.log.lines.isEmpty)
    }

    @Test("A client without cookies gets a new session with each request.")
    func withoutCookies() throws {
        let client = self.desk.app.testClient(usesCookies: false)
        try client.get("/a/1")
        #expect(client.cookie("session") == nil)
        #expect(try client.get("/cookies").text == "")
        #expect(code { try client.setCookie("a", "b") } == .cookiesDisabled)
    }
}

@Suite("Cookies of the test client")
struct TestCookieTests {
    private let client: TestClient

    init() throws {
        self.client = try ClientDesk().app.testClient()
    }

    private func set(_ lines: String..., from url: String = "") throws {
        let query = lines.map { line in
            "c=" + line.utf8.map { "%" + (String($0, radix: 16).count < 2 ? "0" : "") + String($0, radix: 16) }.joined()
        }
        try self.client.get("\(url)/set/deep/cookie?\(query.joined(separator: "&"))")
    }

    @Test("Cookies come back, the longest path first, and one takes the place of its like.")
    func roundTrip() throws {
        try self.set("a=1; Path=/", "b=2; Path=/cookies", "c=3; Path=/other", "d=4", "a=5; Path=/; Secure; HttpOnly")
        #expect(try self.client.get("/cookies").text == "b=2; a=5")
        #expect(self.client.cookie("a") == "5")
        #expect(self.client.cookie("d", path: "/set/deep") == "4")
        #expect(self.client.cookie("d") == nil)
    }

    @Test("A path matches whole segments.")
    func paths() throws {
        try self.set("a=1; Path=/cook", "b=2; Path=/cookies/", "c=3; Path=cookies")
        #expect(try self.client.get("/cookies").text == "")
    }

    @Test("A cookie of a domain goes to its hosts, one without to its own host, and a foreign one is not kept.")
    func domains() throws {
        let url = "http://eu.shop.test"
        try self.set("a=1; Domain=.Shop.test; Path=/", "b=2; Path=/", "c=3; Domain=evil.test; Path=/", from: url)
        #expect(try self.client.get("http://eu.shop.test:8080/cookies").text == "a=1; b=2")
        #expect(try self.client.get("http://us.shop.test/cookies").text == "a=1")
        #expect(try self.client.get("http://xshop.test/cookies").text == "")
        #expect(try self.client.get("http://evil.test/cookies").text == "")
    }

    @Test("Max-Age and an epoch remove a cookie, later dates do not.")
    func expiry() throws {
        try self.set("a=1; Path=/", "b=1; Path=/", "c=1; Path=/", "d=1; Path=/", "e=1; Path=/")
        try self.set(
            "a=; Path=/; Max-Age=0",
            "b=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "c=2; Path=/; Expires=Fri, 01 Jan 2100 00:00:00 GMT",
            "d=2; Path=/; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "e=; Path=/; Max-Age=-1"
        )
        #expect(try self.client.get("/cookies").text == "c=2; d=2")
    }

    @Test("A test can keep and forget cookies itself.")
    func byHand() throws {
        try self.client.setCookie("a", "1")
        try self.client.setCookie("b", "2", domain: "other.test")
        #expect(try self.client.get("/cookies").text == "a=1")
        #expect(try self.client.get("http://other.test/cookies").text == "b=2")
        self.client.deleteCookie("a")
        #expect(try self.client.get("/cookies").text == "")
        #expect(code { try self.client.setCookie("a b", "1") } == .invalidCookie)
        #expect(code { try self.client.setCookie("a", "1;2") } == .invalidCookie)
    }

    @Test("Malformed fields are skipped.", arguments: ["", ";", "=x", "; Path=/", " ; a=b", "=", "Path"])
    func malformed(line: String) throws {
        try self.set(line, "z=1; Path=/")
        let text = try self.client.get("/cookies").text
        #expect(text == "z=1")
    }
}
