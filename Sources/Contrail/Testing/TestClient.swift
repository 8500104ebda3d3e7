// A client for tests: it sends requests to an app in the same process, without a server.

internal import ContextVariables
public import ContrailRecorder
internal import HTTPTypes
private import Synchronization

extension App {
    /// Makes a client that sends requests to the app in this process.
    ///
    /// - Parameters:
    ///   - usesCookies: Whether it keeps the cookies that responses set, and sends them along.
    ///   - level: How much its requests record, whatever app and routes say; `nil` as much as they say.
    public func testClient(usesCookies: Bool = true, level: FlightRecorder.Level? = nil) -> TestClient {
        TestClient(self, usesCookies: usesCookies, level: level)
    }
}

/// Sends requests to an app in the same process, for tests: `try app.testClient().get("/orders/7")`.
///
/// A request goes through ``App/dispatch(_:body:worker:fileID:line:)``, where it is called. When the call returns, its contexts
/// are gone, after one teardown (`TST-01`). In ``preserving(fileID:line:_:)`` they stay current for the test to read. An
/// error that leaves the dispatch leaves the call: set `app.config.testing` to see errors of views rather than pages.
///
/// Requests without ``preserving(fileID:line:_:)`` work anywhere, also at once; with it on the task or thread that called it.
/// Every call has a synchronous form, for apps without async hooks and handlers, and an async one.
public final class TestClient: Sendable {
    /// The app that gets the requests.
    public let app: App
    /// Whether cookies are kept and sent along.
    public let usesCookies: Bool
    /// How much its requests record, whatever app and routes say.
    public let level: FlightRecorder.Level?

    private struct State {
        var jar = CookieJar()
        var preserving: ExecutionID?
        var preserved: [Preserved] = []
    }

    /// A context that was pushed again after its request, and is to be popped.
    private enum Preserved {
        case app(AppContext)
        case request(App.RequestContext)
    }

    private let state = Mutex(State())

    init(_ app: App, usesCookies: Bool, level: FlightRecorder.Level?) {
        self.app = app
        self.level = level
        self.usesCookies = usesCookies
    }

    // MARK: - Cookies

    /// The value of a cookie that the client keeps; `nil` when it keeps none of the name for the domain and path.
    ///
    /// - Parameters:
    ///   - name: The cookie's name.
    ///   - domain: The domain it was set for; by default the app's server.
    ///   - path: The path it was set for.
    public func cookie(_ name: String, domain: String? = nil, path: String = "/") -> String? {
        let domain = domain ?? self.host
        return self.state.withLock { state in
            state.jar.cookies.first { $0.name == name && $0.domain == domain && $0.path == path }?.value
        }
    }

    /// Keeps a cookie as if a response had set it; throws ``ContextError/Code/invalidCookie`` when a cookie cannot have the name
    /// or value, ``ContextError/Code/cookiesDisabled`` when the client keeps none.
    public func setCookie(
        _ name: String,
        _ value: String,
        domain: String? = nil,
        path: String = "/",
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) {
        try self.checkCookies("keep one", Site(fileID: fileID, line: line))
        var fields = HTTPFields()
        try SessionCookie(name: name, path: path, fileID: fileID, line: line)
            .set(value, in: &fields, fileID: fileID, line: line)
        let cookie = CookieJar.Cookie(
            name: name,
            value: value,
            domain: domain ?? self.host,
            path: path,
            includesSubdomains: false
        )
        self.state.withLock { $0.jar.set(cookie) }
    }

    /// Forgets a cookie.
    public func deleteCookie(_ name: String, domain: String? = nil, path: String = "/") {
        let cookie = CookieJar.Cookie(
            name: name,
            value: "",
            domain: domain ?? self.host,
            path: path,
            includesSubdomains: false
        )
        self.state.withLock { $0.jar.set(cookie, isExpired: true) }
    }

    private var host: String { Self.host(of: self.app.config.serverName ?? "localhost") }

    private static func host(of authority: String) -> String {
        // An IPv6 address has its colons in brackets.
        guard let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") else {
            return authority.lowercased()
        }
        return authority[..<colon].lowercased()
    }

    /// The context of a request, which brings the client's cookies.
    func context(for request: TestRequest) -> App.RequestContext {
        var head = request.head
        if self.usesCookies {
            let host = Self.host(of: head.authority ?? "")
            let field = self.state.withLock { $0.jar.field(host: host, path: Self.path(of: request)) }
            if let field { head.headerFields.append(HTTPField(name: .cookie, value: field)) }
        }
        let context = self.app.testContext(head, request.body)
        if let level { context.follow(level) }
        return context
    }

    /// Keeps the cookies of a response.
    func keepCookies(of fields: HTTPFields, for request: TestRequest) {
        guard self.usesCookies else { return }
        let host = Self.host(of: request.head.authority ?? "")
        self.state.withLock { $0.jar.store(fields, host: host, path: Self.path(of: request)) }
    }

    private static func path(of request: TestRequest) -> String {
        request.root + URLText(request.head.path ?? "/").path
    }

    func checkCookies(_ what: String, _ site: Site) throws(ContextError) {
        guard !self.usesCookies else { return }
        throw ContextError(
            .cookiesDisabled,
            "this client has no cookies and cannot \(what): make it with testClient(usesCookies: true)",
            site: site
        )
    }

    // MARK: - Preserved contexts

    /// Begins to preserve contexts here.
    func beginPreserving(_ site: Site) throws(ContextError) {
        let caller = ExecutionID.current
        let isNested = self.state.withLock { state in
            if state.preserving != nil { return true }
            state.preserving = caller
            return false
        }
        guard isNested else { return }
        throw ContextError(
            .clientNested,
            "this client preserves contexts already: use a client of its own for the inner requests",
            site: site
        )
    }

    /// Ends it. What could not be popped stays, for the next request to try.
    func endPreserving() {
        self.state.withLock { $0.preserving = nil }
    }

    /// Refuses, before any effect, a request whose contexts could not be preserved here.
    func checkPlace(_ site: Site) throws(ContextError) {
        guard let owner = self.state.withLock({ $0.preserving }) else { return }
        _ = try ContextLayers.writable(for: "preserve the contexts of this request", site)
        guard owner == ExecutionID.current else {
            throw ContextError(
                .notOwner,
                "cannot preserve the contexts of this request: the client preserves them for another task or thread; "
                    + "send it there, or with a client of its own",
                site: site
            )
        }
    }

    /// Pushes the contexts of a request again, when the client preserves them.
    func preserve(_ context: App.RequestContext?, _ site: Site) throws {
        guard let context, let appContext = context.appContext else { return }
        guard self.state.withLock({ $0.preserving != nil }) else { return }
        let (_, layers) = try ContextLayers.writable(for: "preserve the contexts of this request", site)
        try appContext.push(fileID: site.fileID, line: site.line)
        do {
            try context.push(checksThread: false, site)
        } catch {
            // The error that leaves is why it is popped; what its teardown throws is in the trail.
            let outcome = Outcome(error: error)
            if self.app.hasAsyncAppHooks {
                layers.remove(appContext)
                Housekeeping.end(appContext, outcome, site)
            } else {
                try? appContext.pop(outcome: outcome, fileID: site.fileID, line: site.line)
            }
            throw error
        }
        self.state.withLock { $0.preserved += [.app(appContext), .request(context)] }
        // A request of another client gets an app context of its own, not this one (TST-06).
        layers.declareTopRemains(2)
    }

    /// Pops what is preserved, request before app. What fails while being popped is collected; a refused pop ends it, and may
    /// be repeated.
    func popPreserved(_ site: Site) throws(ContextError) {
        var errors: [any Error] = []
        while let last = self.state.withLock({ $0.preserved.last }) {
            do throws(ContextError) {
                switch last {
                case .app(let context): try context.pop(fileID: site.fileID, line: site.line)
                case .request(let context): try context.pop(fileID: site.fileID, line: site.line)
                }
            } catch {
                guard error.code == .teardownFailed else { throw error }
                errors += error.errors
            }
            self.dropLastPreserved()
        }
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    /// Pops what is preserved, as its synchronous twin does, with async hooks.
    nonisolated(nonsending) func popPreserved(_ site: Site) async throws(ContextError) {
        var errors: [any Error] = []
        while let last = self.state.withLock({ $0.preserved.last }) {
            do throws(ContextError) {
                switch last {
                case .app(let context): try await context.pop(fileID: site.fileID, line: site.line)
                case .request(let context): try await context.pop(fileID: site.fileID, line: site.line)
                }
            } catch {
                guard error.code == .teardownFailed else { throw error }
                errors += error.errors
            }
            self.dropLastPreserved()
        }
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    private func dropLastPreserved() {
        // It leaves the lock before it is released: what its `g` holds may run user code when it dies.
        let last = self.state.withLock { $0.preserved.popLast() }
        withExtendedLifetime(last) {}
    }
}
