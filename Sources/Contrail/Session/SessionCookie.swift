// The cookie by which a client names its session.

internal import ContrailRecorder
public import HTTPTypes

/// The name and attributes of a session's cookie, and how it is read from requests and written to responses (RFC 6265).
public struct SessionCookie: Sendable, Hashable {
    /// To whom a browser sends the cookie when another site made the request.
    public enum SameSite: String, Sendable, Hashable {
        /// Only within the site.
        case strict = "Strict"
        /// Within the site, and when a link of another site is followed.
        case lax = "Lax"
        /// Always; needs a secure cookie.
        case none = "None"
    }

    /// The name.
    public let name: String
    /// The path under which the browser sends it.
    public let path: String
    /// The domain to whose hosts the browser sends it; `nil` is the host alone.
    public let domain: String?
    /// Whether the browser sends it over encrypted connections only.
    public let isSecure: Bool
    /// Whether scripts of the page cannot see it.
    public let isHTTPOnly: Bool
    /// To whom the browser sends it when another site made the request; `nil` leaves it to the browser.
    public let sameSite: SameSite?

    /// How much of a request's `Cookie` fields is read.
    package static let maximumHeaderLength = 32 * 1024
    /// How many cookies of one name are read from a request.
    package static let maximumValueCount = 8

    /// The cookie `session` for the host and all paths, hidden from scripts, `SameSite=Lax`.
    ///
    /// - Parameter isSecure: Whether the browser sends it over encrypted connections only: give `true` in production.
    public init(isSecure: Bool = false) {
        self.name = "session"
        self.path = "/"
        self.domain = nil
        self.isSecure = isSecure
        self.isHTTPOnly = true
        self.sameSite = .lax
    }

    /// Names a cookie; throws ``ContextError/Code/invalidCookie`` when browsers would not take it.
    ///
    /// - Parameters:
    ///   - name: The name, of the characters of an HTTP token. `__Host-` and `__Secure-` have the meaning of RFC 6265bis.
    ///   - path: The path under which the browser sends it.
    ///   - domain: The domain to whose hosts the browser sends it; `nil` is the host alone.
    ///   - isSecure: Whether the browser sends it over encrypted connections only: give `true` in production.
    ///   - isHTTPOnly: Whether scripts of the page cannot see it.
    ///   - sameSite: To whom the browser sends it when another site made the request; `nil` leaves it to the browser.
    public init(
        name: String,
        path: String = "/",
        domain: String? = nil,
        isSecure: Bool = false,
        isHTTPOnly: Bool = true,
        sameSite: SameSite? = .lax,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) {
        let flaw: String? =
            if name.isEmpty || !name.utf8.allSatisfy(CookieHeader.isTokenByte) {
                "its name \(name.debugDescription) is no HTTP token: use letters, digits, _ and -"
            } else if path.utf8.first != UInt8(ascii: "/") || !path.utf8.allSatisfy(CookieHeader.isAttributeByte) {
                "its path \(path.debugDescription) is not one that begins with a slash and has no semicolon in it"
            } else if let domain, domain.isEmpty || !domain.utf8.allSatisfy(CookieHeader.isDomainByte) {
                "its domain \(domain.debugDescription) is no host name: use letters, digits, dots and hyphens"
            } else if sameSite == SameSite.none, !isSecure {
                "browsers refuse SameSite=None without Secure: give isSecure: true"
            } else if name.lowercased().hasPrefix("__secure-"), !isSecure {
                "browsers refuse a __Secure- name without Secure: give isSecure: true"
            } else if name.lowercased().hasPrefix("__host-"), !isSecure || path != "/" || domain != nil {
                "browsers refuse a __Host- name unless it is secure, for the path / and without a domain"
            } else {
                nil
            }
        if let flaw {
            throw ContextError(
                .invalidCookie,
                "the cookie cannot be sent: \(flaw)",
                site: Site(fileID: fileID, line: line)
            )
        }
        self.name = name
        self.path = path
        self.domain = domain
        self.isSecure = isSecure
        self.isHTTPOnly = isHTTPOnly
        self.sameSite = sameSite
    }

    /// The values that a request's fields have for the cookie: usually one, none when it was not sent, several when cookies
    /// of the same name were set for different paths or domains. At most eight are read, of 32 KiB of fields.
    public func values(in fields: HTTPFields) -> [String] {
        var values: [String] = []
        CookieHeader.forEachPair(in: fields, limit: Self.maximumHeaderLength) { name, value in
            if name == self.name { values.append(value) }
            return values.count < Self.maximumValueCount
        }
        return values
    }

    /// Adds a `Set-Cookie` field; throws ``ContextError/Code/invalidCookie`` when a cookie cannot have the value.
    ///
    /// - Parameters:
    ///   - value: The value: visible ASCII without blanks, quotes, commas, semicolons and backslashes.
    ///   - maxAge: For how many seconds the browser keeps it; `nil` is until it is closed.
    ///   - fields: The response's fields.
    public func set(
        _ value: String,
        maxAge: Int? = nil,
        in fields: inout HTTPFields,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) {
        guard value.utf8.allSatisfy(CookieHeader.isValueByte) else {
            throw ContextError(
                .invalidCookie,
                "a cookie cannot have the value that was given for \(self.name): encode it in base64url first",
                site: Site(fileID: fileID, line: line)
            )
        }
        fields.append(HTTPField(name: .setCookie, value: self.line(value, maxAge: maxAge)))
    }

    /// Adds a `Set-Cookie` field that makes the browser forget the cookie.
    public func delete(in fields: inout HTTPFields) {
        let expired = self.line("", maxAge: 0) + "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"
        fields.append(HTTPField(name: .setCookie, value: expired))
    }

    /// Adds `Cookie` to the response's `Vary` field, unless that says so already (`SES-05`).
    public static func addVary(to fields: inout HTTPFields) {
        let varies = fields[values: .vary].contains { value in
            value.split(separator: ",").contains { name in
                let name = name.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" }
                return name == "*" || name.lowercased() == "cookie"
            }
        }
        if !varies { fields.append(HTTPField(name: .vary, value: "Cookie")) }
    }

    /// The value of a `Set-Cookie` field.
    package func line(_ value: String, maxAge: Int?) -> String {
        var line = "\(self.name)=\(value)"
        if let maxAge { line += "; Max-Age=\(maxAge)" }
        if let domain = self.domain { line += "; Domain=\(domain)" }
        line += "; Path=\(self.path)"
        if self.isSecure { line += "; Secure" }
        if self.isHTTPOnly { line += "; HttpOnly" }
        if let sameSite = self.sameSite { line += "; SameSite=\(sameSite.rawValue)" }
        return line
    }
}
