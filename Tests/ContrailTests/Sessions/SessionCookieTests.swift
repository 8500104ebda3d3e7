// How session cookies are read and written.

import Contrail
import HTTPTypes
import Testing

@Suite("Cookies of sessions")
struct SessionCookieTests {
    private func values(_ lines: String..., name: String = "s") throws -> [String] {
        var fields = HTTPFields()
        for line in lines { fields.append(HTTPField(name: .cookie, value: line)) }
        return try SessionCookie(name: name).values(in: fields)
    }

    @Test("The values of the name are found, in order, in all fields.")
    func values() throws {
        #expect(try self.values("a=1; s=2; b=3") == ["2"])
        #expect(try self.values("s=1;s=2", "x=0; s=3") == ["1", "2", "3"])
        #expect(try self.values("S=1; ss=2; as=3; xs =4") == [])
        #expect(try self.values("s=a=b==; t") == ["a=b=="])
        #expect(try self.values("s=; s = 7 ;\ts=\"q\"; s=\"") == ["", "7", "q", "\""])
    }

    @Test(
        "What is no cookie is skipped.",
        arguments: ["", ";", ";;=;", "=x", "s", "s;", "a b=1", "é=1; =s=1", "\"s=1\""]
    )
    func malformed(line: String) throws {
        #expect(try self.values(line) == [])
    }

    @Test("A long field is read up to its limit, and what is cut off is not a cookie.")
    func bounded() throws {
        let filler = String(repeating: "x=1;", count: SessionCookie.maximumHeaderLength / 4 - 2)
        #expect(try self.values(filler + "s=2;s=345678") == ["2"])
        #expect(try self.values(filler + "s=2;s=345678", "s=9") == ["2"])
        #expect(try self.values("s=" + String(repeating: "y", count: 40_000)) == [])
        #expect(try self.values(String(repeating: "s=1;", count: 100)).count == SessionCookie.maximumValueCount)
    }

    @Test("The plain cookie is for the host and all paths, hidden from scripts, and lax.")
    func plain() throws {
        var fields = HTTPFields()
        try SessionCookie().set("abc", in: &fields)
        try SessionCookie(isSecure: true).set("abc", maxAge: 60, in: &fields)
        #expect(
            fields[values: .setCookie] == [
                "session=abc; Path=/; HttpOnly; SameSite=Lax",
                "session=abc; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=Lax",
            ]
        )
    }

    @Test("Each attribute is written.")
    func attributes() throws {
        var fields = HTTPFields()
        let cookie = try SessionCookie(
            name: "__Secure-s",
            path: "/app",
            domain: "example.com",
            isSecure: true,
            isHTTPOnly: false,
            sameSite: SessionCookie.SameSite.none
        )
        try cookie.set("v", in: &fields)
        cookie.delete(in: &fields)
        #expect(
            fields[values: .setCookie] == [
                "__Secure-s=v; Domain=example.com; Path=/app; Secure; SameSite=None",
                "__Secure-s=; Max-Age=0; Domain=example.com; Path=/app; Secure; SameSite=None; "
                    + "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            ]
        )
    }

    @Test("What browsers would not take is refused before it is sent.")
    func refused() {
        let makers: [() throws -> SessionCookie] = [
            { try SessionCookie(name: "") },
            { try SessionCookie(name: "a b") },
            { try SessionCookie(name: "a;b") },
            { try SessionCookie(name: "é") },
            { try SessionCookie(name: "s", path: "app") },
            { try SessionCookie(name: "s", path: "/a;b") },
            { try SessionCookie(name: "s", path: "/a\r\nX: 1") },
            { try SessionCookie(name: "s", domain: "") },
            { try SessionCookie(name: "s", domain: "a;b") },
            { try SessionCookie(name: "s", sameSite: SessionCookie.SameSite.none) },
            { try SessionCookie(name: "__Secure-s") },
            { try SessionCookie(name: "__Host-s", path: "/a", isSecure: true) },
            { try SessionCookie(name: "__Host-s", domain: "a.b", isSecure: true) },
        ]
        for (index, make) in makers.enumerated() {
            #expect(code { _ = try make() } == .invalidCookie, "cookie \(index)")
        }
        for value in ["a b", "a;b", "a,b", "a\"b", "a\\b", "a\r\nb", "é"] {
            var fields = HTTPFields()
            #expect(code { try SessionCookie().set(value, in: &fields) } == .invalidCookie)
            #expect(fields.isEmpty)
        }
    }

    @Test("SES-05: Vary gets Cookie once.")
    func vary() {
        var fields = HTTPFields()
        SessionCookie.addVary(to: &fields)
        SessionCookie.addVary(to: &fields)
        #expect(fields[values: .vary] == ["Cookie"])
        for present in ["*", "Accept, cookie", "Accept ,\tCOOKIE"] {
            var fields: HTTPFields = [.vary: present]
            SessionCookie.addVary(to: &fields)
            #expect(fields[values: .vary] == [present])
        }
        var other: HTTPFields = [.vary: "Accept, X-Cookie"]
        SessionCookie.addVary(to: &other)
        #expect(other[values: .vary] == ["Accept, X-Cookie", "Cookie"])
    }
}
