// The cookies of a test client.

internal import HTTPTypes

/// Keeps cookies as a browser does, but for ever: only `Max-Age=0` or an `Expires` at the epoch removes one, and `Secure` does
/// not keep one from a plain request.
struct CookieJar {
    struct Cookie {
        let name: String
        let value: String
        let domain: String
        let path: String
        /// Whether hosts below the domain get it too.
        let includesSubdomains: Bool
    }

    private(set) var cookies: [Cookie] = []

    /// The value of a request's `Cookie` field; `nil` when it gets none. Longer paths come first.
    func field(host: String, path: String) -> String? {
        let matching = self.cookies.filter { $0.matches(host: host, path: path) }
        guard !matching.isEmpty else { return nil }
        let lengths = Set(matching.map(\.path.utf8.count)).sorted(by: >)
        return lengths.flatMap { length in matching.filter { $0.path.utf8.count == length } }
            .map { "\($0.name)=\($0.value)" }
            .joined(separator: "; ")
    }

    /// Keeps or removes what a response's `Set-Cookie` fields say.
    mutating func store(_ fields: HTTPFields, host: String, path: String) {
        for line in fields[values: .setCookie] {
            let parts = line.split(separator: ";", omittingEmptySubsequences: false).map { part in
                let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return (name: Self.trimmed(pair[0]), value: pair.count > 1 ? Self.trimmed(pair[1]) : "")
            }
            guard let cookie = parts.first, !cookie.name.isEmpty else { continue }
            let attributes = Dictionary(parts.dropFirst().map { ($0.name.lowercased(), $0.value) }) { _, last in last }
            let given = attributes["domain"].map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 } ?? ""
            let domain = given.isEmpty ? host : given.lowercased()
            guard domain == host || host.hasSuffix("." + domain) else { continue }
            let ownPath = attributes["path"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            self.set(
                Cookie(
                    name: cookie.name,
                    value: cookie.value,
                    domain: domain,
                    path: ownPath ?? Self.directory(of: path),
                    includesSubdomains: !given.isEmpty
                ),
                isExpired: attributes["max-age"].map { Int($0).map { $0 <= 0 } ?? false }
                    ?? attributes["expires"]?.contains(" 1970 ") ?? false
            )
        }
    }

    /// Keeps a cookie in the place of one with the same name, domain and path, or removes that.
    mutating func set(_ cookie: Cookie, isExpired: Bool = false) {
        let index = self.cookies.firstIndex {
            $0.name == cookie.name && $0.domain == cookie.domain && $0.path == cookie.path
        }
        switch (index, isExpired) {
        case (let index?, true): self.cookies.remove(at: index)
        case (let index?, false): self.cookies[index] = cookie
        case (nil, true): break
        case (nil, false): self.cookies.append(cookie)
        }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    private static func trimmed(_ text: Substring) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return String(start[...last])
    }
}

extension CookieJar.Cookie {
    fileprivate func matches(host: String, path: String) -> Bool {
        guard self.domain == host || (self.includesSubdomains && host.hasSuffix("." + self.domain)) else {
            return false
        }
        guard path.hasPrefix(self.path) else { return false }
        return path.utf8.count == self.path.utf8.count || self.path.hasSuffix("/")
            || path.dropFirst(self.path.count).hasPrefix("/")
    }
}
