// What a request context and its copies share: the request itself and what its path matched.

internal import ContextVariables
internal import ContrailRecorder
internal import HTTPTypes
internal import Synchronization

/// The request of a context and of all copies of it.
final class RequestState: Sendable {
    /// What the path matched.
    enum Match: Sendable {
        /// Nobody has looked yet.
        case notMatched
        case route(Route, viewArgs: [String: RouteValue])
        case notFound
        case methodNotAllowed([HTTPRequest.Method])
    }

    let request: HTTPRequest
    /// Two parts of the request that are asked for several times in a context's life: getting one counts all of it.
    let method: HTTPRequest.Method
    let target: String?
    let body: [UInt8]
    /// The endpoint that a server's router found; it wins over the app's own routes.
    let givenEndpoint: String?
    let requestID: String?
    let traceID: String?

    private let matched = BriefLock(Match.notMatched)
    /// Whether a match was stored: before that nobody needs the lock.
    private let isMatched = Atomic<Bool>(false)
    /// Whether the app had no routes to ask: said without the lock, and before anything else can have been stored.
    private let isUnrouted = Atomic<Bool>(false)

    init(request: consuming HTTPRequest, body: [UInt8], endpoint: String?, requestID: String?) {
        self.method = request.method
        self.target = request.path
        self.traceID = Self.traceID(of: request)
        self.request = request
        self.body = body
        self.givenEndpoint = endpoint
        self.requestID = requestID
    }

    var match: Match {
        get {
            guard self.isMatched.load(ordering: .acquiring) else {
                return self.isUnrouted.load(ordering: .acquiring) ? .notFound : .notMatched
            }
            return self.matched.withLock { $0 }
        }
        set {
            // The old match leaves the lock before it is released: the view it holds may run user code when it dies.
            let old = self.matched.withLock { match in
                let old = match
                match = newValue
                self.isMatched.store(true, ordering: .releasing)
                return old
            }
            withExtendedLifetime(old) {}
        }
    }

    /// Notes that nothing matched, because there was nothing to match: it counts for as long as nothing else is stored.
    func noteUnrouted() { self.isUnrouted.store(true, ordering: .releasing) }

    /// The path without query and fragment, as it was sent.
    var path: Substring {
        let path = self.target ?? "/"
        return path[..<(path.utf8.firstIndex(where: Self.endsPath) ?? path.endIndex)]
    }

    /// The second field of a W3C `traceparent`, if it is 32 hexadecimal digits: what a client sends is not to be trusted.
    private static func traceID(of request: HTTPRequest) -> String? {
        guard !request.headerFields.isEmpty, let name = Self.traceparent, let value = request.headerFields[name] else {
            return nil
        }
        let parts = value.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].utf8.count == 32, parts[1].allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            return nil
        }
        return parts[1].lowercased()
    }

    /// The path as text. It is the request's own when it has neither query nor fragment.
    var pathText: String {
        let path = self.target ?? "/"
        guard let end = path.utf8.firstIndex(where: Self.endsPath) else { return path }
        return String(path[..<end])
    }

    private static func endsPath(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "?") || byte == UInt8(ascii: "#")
    }

    private static let traceparent = HTTPField.Name("traceparent")
}
