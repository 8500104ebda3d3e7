// Where a redirect leads.

internal import ContrailRecorder
internal import HTTPTypes

/// Follows redirects within the app, up to a limit.
struct TestRedirect {
    static let limit = 20

    private var visited: Set<String> = []
    private let site: Site

    init(from request: TestRequest, _ site: Site) {
        self.visited = ["\(request.head.method.rawValue) \(request.url)"]
        self.site = site
    }

    /// The request that the response asks for; `nil` when it is no redirect.
    ///
    /// 307 and 308 repeat the method and body; the others ask for the new place with GET, or HEAD after HEAD. Throws
    /// ``ContextError/Code/invalidRedirect`` for another host, for a place that was visited already, and after 20 redirects.
    mutating func follow(_ request: TestRequest, _ response: App.Response) throws(ContextError) -> TestRequest? {
        guard [301, 302, 303, 305, 307, 308].contains(response.status.code) else { return nil }
        guard let location = response.headerFields[.location] else { return nil }
        let url = URLText(location)
        let authority = request.head.authority ?? "localhost"
        if let other = url.authority, other != authority {
            throw self.refusal(
                "a redirect to \(other) leads away from \(authority), and so from the app: look at its Location field instead"
            )
        }
        var original = request.head
        var body = request.body
        if response.status.code != 307, response.status.code != 308 {
            if original.method != .head { original.method = .get }
            original.headerFields[.contentType] = nil
            original.headerFields[.contentLength] = nil
            body = []
        }
        let next = TestRequest(
            scheme: url.scheme ?? request.head.scheme ?? "http",
            authority: authority,
            root: request.root,
            target: Self.target(url, from: request),
            from: original,
            body: body
        )
        guard self.visited.insert("\(next.head.method.rawValue) \(next.url)").inserted else {
            throw self.refusal("a redirect leads back to \(next.url): the redirects go in a circle")
        }
        guard self.visited.count <= Self.limit + 1 else {
            throw self.refusal("\(next.url) would be redirect \(Self.limit + 1): the redirects do not seem to end")
        }
        return next
    }

    /// The place as the app's routes see it: without the root, against the path of the request that was redirected.
    private static func target(_ url: URLText, from request: TestRequest) -> String {
        let current = URLText(request.head.path ?? "/")
        if url.authority == nil, url.path.isEmpty { return URLText.target(path: current.path, query: url.query) }
        guard url.authority != nil || url.path.hasPrefix("/") else {
            let directory = current.path.prefix(through: current.path.lastIndex(of: "/") ?? current.path.startIndex)
            return URLText.target(path: directory + url.path, query: url.query)
        }
        let isInside = !request.root.isEmpty && (url.path == request.root || url.path.hasPrefix(request.root + "/"))
        let path = isInside ? String(url.path.dropFirst(request.root.count)) : url.path
        return URLText.target(path: path, query: url.query)
    }

    private func refusal(_ message: String) -> ContextError {
        ContextError(.invalidRedirect, message, site: self.site)
    }
}
