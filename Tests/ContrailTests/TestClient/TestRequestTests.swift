// Requests that tests make up.

import Contrail
import HTTPTypes
import TestSupport
import Testing

@Suite("Requests of tests")
struct TestRequestTests {
    private let plain = App("shop")
    private let configured = App(
        "shop",
        config: App.Config(serverName: "shop.test:8080", preferredScheme: "https", applicationRoot: "/api/v1/")
    )

    @Test("TST-09: the defaults come from the configuration.")
    func defaults() throws {
        let plain = try self.plain.testRequest()
        #expect(plain.url == "http://localhost/")
        #expect(plain.head.method == .get)
        #expect(plain.head.path == "/")
        let configured = try self.configured.testRequest("/orders?page=2")
        #expect(configured.baseURL == "https://shop.test:8080/api/v1/")
        #expect(configured.url == "https://shop.test:8080/api/v1/orders?page=2")
        #expect(configured.head.path == "/orders?page=2")
        #expect(configured.head.authority == "shop.test:8080")
        #expect(configured.head.scheme == "https")
    }

    @Test("TST-09: subdomain and scheme are put in their places.")
    func overrides() throws {
        #expect(try self.configured.testRequest(subdomain: "eu").url == "https://eu.shop.test:8080/api/v1/")
        #expect(try self.configured.testRequest(subdomain: "").url == "https://shop.test:8080/api/v1/")
        #expect(try self.configured.testRequest(scheme: "ws").url == "ws://shop.test:8080/api/v1/")
        #expect(try self.plain.testRequest(subdomain: "eu", scheme: "https").url == "https://eu.localhost/")
    }

    @Test("TST-09: a base URL takes the place of the configuration.")
    func baseURL() throws {
        #expect(try self.configured.testRequest("/a", baseURL: "http://other.test").url == "http://other.test/a")
        let rooted = try self.configured.testRequest("/a", baseURL: "http://other.test/root/")
        #expect(rooted.url == "http://other.test/root/a")
        #expect(rooted.head.path == "/a")
    }

    @Test("TST-09: a whole URL as the path overrides scheme and host, and keeps the root.")
    func wholeURL() throws {
        let request = try self.configured.testRequest("http://other.test/a?b=c#d")
        #expect(request.url == "http://other.test/api/v1/a?b=c")
        #expect(request.head.path == "/a?b=c")
        #expect(try self.configured.testRequest("//other.test").url == "https://other.test/api/v1/")
        #expect(try self.plain.testRequest("HTTPS://other.test?x").url == "https://other.test/?x")
    }

    @Test("TST-09: the query stays, and what is not visible ASCII is encoded.")
    func encoding() throws {
        #expect(try self.plain.testRequest("a").head.path == "/a")
        #expect(try self.plain.testRequest("/a b/é?q=ü%20+#f").head.path == "/a%20b/%C3%A9?q=%C3%BC%20+")
        #expect(try self.plain.testRequest("/a\r\nX: 1\0").head.path == "/a%0D%0AX:%201%00")
        #expect(try self.plain.testRequest("").head.path == "/")
        #expect(try self.plain.testRequest("?q=1").head.path == "/?q=1")
    }

    @Test("TST-09: json sets the body and the content type.")
    func json() throws {
        let request = try self.plain.testRequest(method: .post, json: ["a": 1])
        #expect(String(decoding: request.body, as: UTF8.self) == #"{"a":1}"#)
        #expect(request.head.headerFields[.contentType] == "application/json")
        #expect(request.head.headerFields[.contentLength] == "7")
        let typed = try self.plain.testRequest(headers: [.contentType: "application/problem+json"], json: 1)
        #expect(typed.head.headerFields[values: .contentType] == ["application/problem+json"])
        #expect(try self.plain.testRequest(body: Array("xy".utf8)).head.headerFields[.contentLength] == "2")
        #expect(try self.plain.testRequest().head.headerFields.isEmpty)
    }

    @Test("TST-09: the context is made, not pushed.")
    func context() throws {
        let context = try self.configured.testRequestContext("/a?b=c", method: .post, json: 1)
        #expect(!context.isPushed && !hasRequestContext())
        #expect(context.path == "/a")
        #expect(context.args["b"] == "c")
        #expect(context.method == .post)
        #expect(context.body == Array("1".utf8))
    }

    @Test("TST-10: a base URL together with a subdomain, a scheme or a whole URL is refused.")
    func conflicts() {
        let base = "http://other.test"
        #expect(code { _ = try self.plain.testRequestContext(baseURL: base, subdomain: "a") } == .invalidRequest)
        #expect(code { _ = try self.plain.testRequestContext(baseURL: base, scheme: "https") } == .invalidRequest)
        #expect(code { _ = try self.plain.testRequestContext("http://x.test/", baseURL: base) } == .invalidRequest)
    }

    @Test(
        "What is no base URL is refused.",
        arguments: ["", "other.test", "/a", "http://", "http:///a", "http://a/?b"]
    )
    func badBase(text: String) {
        #expect(code { _ = try self.plain.testRequest(baseURL: text) } == .invalidRequest)
    }

    @Test("A body together with json, and a value that is no JSON, are refused.")
    func badBody() {
        #expect(code { _ = try self.plain.testRequest(body: [], json: 1) } == .invalidRequest)
        #expect(code { _ = try self.plain.testRequest(json: Double.infinity) } == .invalidRequest)
    }

    @Test("Any text as a path is a request or a typed error.")
    func anyText() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededRandom(seed: seed)
        let alphabet = Array("/:?#a%\u{301}é\n h.@[]")
        for _ in 0..<3000 {
            let length = Int.random(in: 0...12, using: &random)
            let text = String((0..<length).map { _ in alphabet.randomElement(using: &random)! })
            do {
                let request = try self.plain.testRequest(text)
                #expect(request.head.path?.hasPrefix("/") == true, "seed \(seed), text \(text.debugDescription)")
            } catch {
                #expect(error.code == .invalidRequest, "seed \(seed), text \(text.debugDescription)")
            }
        }
    }
}
