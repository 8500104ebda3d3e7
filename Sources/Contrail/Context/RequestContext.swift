// The request context.

public import ContextVariables
package import ContrailRecorder
public import HTTPTypes
internal import Synchronization

extension App {
    /// A request context: it makes a request current, on an app context of the same app.
    ///
    /// Pushing it reuses a current app context of the same app object, and pushes one of its own otherwise, which it then
    /// also pops (`REQ-02`, `REQ-03`); it opens the session, once, and matches the path with the app's routes. Usually
    /// ``withRequestContext(_:_:worker:fileID:line:_:)``, ``App/dispatch(_:body:worker:fileID:line:)`` or a server's middleware
    /// makes, pushes and pops it.
    public final class RequestContext: ContextDrawing {
        /// A function that was added for this request alone.
        typealias AfterFunction = Handler<(RequestContext, Response), Response>

        private struct Mutable {
            var appContext: AppContext?
            var session: Session?
            var after: [AfterFunction] = []
            /// The level that a test asked for, and the one that was chosen by the route; one of them, usually neither.
            var testLevel: FlightRecorder.Level?
            var routeLevel: FlightRecorder.Level?
        }

        /// The app that is current while the context is.
        public let app: App

        /// What the context shares with its copies.
        let state: RequestState
        let origin: TrailEvent.Push.Origin
        /// Whether the request's body is read piece by piece, behind the context's back.
        let streamsBody: Bool
        let lifetime: LifetimeState

        private let mutable: BriefLock<Mutable>
        /// Whether a null session was opened, which is made when somebody asks for it.
        private let opensNullSession = Atomic<Bool>(false)

        /// Makes a context for a request. It is not current until it is pushed.
        ///
        /// - Parameters:
        ///   - app: The app that the request is for.
        ///   - request: The request's head.
        ///   - body: The request's body, in bytes.
        ///   - endpoint: The route that a server's router found; otherwise the app's own routes are asked at the push.
        ///   - requestID: The server's id of the request.
        public convenience init(
            _ app: App,
            _ request: HTTPRequest,
            body: [UInt8] = [],
            endpoint: String? = nil,
            requestID: String? = nil
        ) {
            self.init(app, request, body: body, endpoint: endpoint, requestID: requestID, origin: .manual)
        }

        package convenience init(
            _ app: App,
            _ request: HTTPRequest,
            body: [UInt8] = [],
            endpoint: String?,
            requestID: String?,
            origin: TrailEvent.Push.Origin,
            streamsBody: Bool = false
        ) {
            let state = RequestState(request: request, body: body, endpoint: endpoint, requestID: requestID)
            self.init(app, state, session: nil, origin: origin, streamsBody: streamsBody)
        }

        private init(
            _ app: App,
            _ state: RequestState,
            session: Session?,
            origin: TrailEvent.Push.Origin,
            streamsBody: Bool
        ) {
            self.app = app
            self.streamsBody = streamsBody
            self.state = state
            self.origin = origin
            self.lifetime = LifetimeState()
            self.mutable = BriefLock(Mutable(session: session))
        }

        /// Makes a context for a request together with its first push, which is counted already.
        init(
            _ app: App,
            _ request: HTTPRequest,
            on appContext: AppContext,
            by owner: ExecutionID,
            at time: UInt64,
            site: Site,
            in place: consuming UnitPlace,
            recorded: RecordedUnit?,
            ordinal: TrailEvent.ContextOrdinal
        ) {
            self.app = app
            self.streamsBody = false
            self.state = RequestState(request: request, body: [], endpoint: nil, requestID: nil)
            self.origin = .manual
            self.lifetime = LifetimeState(
                by: owner,
                at: time,
                site: site,
                in: place,
                recorded: recorded,
                ordinal: ordinal
            )
            self.mutable = BriefLock(Mutable(appContext: appContext))
        }

        /// A context of its own with the same request and the same session, and neither `g` nor pushes nor functions for
        /// after the request. A copy of a context that was never pushed opens a session of its own (`HLP-03`).
        public func copy() -> RequestContext {
            RequestContext(self.app, self.state, session: self.openedSession, origin: .copy, streamsBody: false)
        }

        // MARK: - The request

        /// The request's head.
        public var request: HTTPRequest { self.state.request }
        /// The request's body, in bytes.
        public var body: [UInt8] { self.state.body }
        /// The server's id of the request.
        public var requestID: String? { self.state.requestID }
        /// The id of the trace that the client sent along (`traceparent`).
        public var traceID: String? { self.state.traceID }
        /// The method.
        public var method: HTTPRequest.Method { self.state.method }
        /// The path without its query, as it was sent.
        public var path: String { self.state.pathText }
        /// The fields of the query, parsed at each call.
        public var args: QueryArguments { QueryArguments(path: self.state.target ?? "") }

        /// The name of the route that the path matched, such as `/orders/{id}`; `nil` when it is not known.
        public var endpoint: String? {
            if let endpoint = self.state.givenEndpoint { return endpoint }
            if case .route(let route, _) = self.state.match { return route.endpoint }
            return nil
        }

        /// The values that the path had for the rule's names; `nil` when nothing matched. Setting does nothing then.
        public var viewArgs: [String: RouteValue]? {
            get {
                if case .route(_, let viewArgs) = self.state.match { viewArgs } else { nil }
            }
            set {
                guard case .route(let route, _) = self.state.match else { return }
                self.state.match = .route(route, viewArgs: newValue ?? [:])
            }
        }

        /// The 404 or 405 that was stored at the push because no route matched; a dispatch raises it after the `before`
        /// functions (`URL-01`, `URL-02`).
        public var routingError: Abort? {
            switch self.state.match {
            case .notMatched, .route: return nil
            case .notFound: return Abort(404)
            case .methodNotAllowed(let methods):
                let allowed = methods.map(\.rawValue).joined(separator: ", ")
                return Abort(405, headerFields: [.allow: allowed])
            }
        }

        // MARK: - What hangs on the context

        /// The app context on which the request context was pushed last; `nil` before its first push.
        public var appContext: AppContext? {
            self.mutable.withLock { $0.appContext }
        }

        /// The namespace of ``appContext``, if anybody has asked for it.
        var touchedNamespace: NamespaceStorage? {
            self.mutable.withLock { mutable in
                // Held by what is locked: not counted for the look.
                let context = mutable.appContext.map { Unmanaged.passUnretained($0) }
                return context?._withUnsafeGuaranteedRef { $0.touchedNamespace }
            }
        }

        /// The namespace of ``appContext``; throws ``ContextError/Code/notPushed`` before the first push.
        public var g: ContextNamespace {
            get throws(ContextError) {
                if let context = self.appContext { return context.g }
                throw ContextError(
                    .notPushed,
                    "\(self) has no g before its first push: enter it with withRequestContext, or push it",
                    site: Site()
                )
            }
        }

        /// The session, opened at the first push; throws ``ContextError/Code/sessionNotOpened`` before that, and when opening it
        /// failed (`SES-03`).
        public var session: Session {
            get throws(ContextError) {
                if let session = self.openedSession { return session }
                throw ContextError(
                    .sessionNotOpened,
                    "the session of \(self) has not been opened: a push opens it",
                    site: Site()
                )
            }
        }

        /// The recyclable values of the unit of work of the request, to read many of them.
        public var variables: UnitVariables { UnitVariables(Scope.unit(for: self.lifetime.unit)) }

        /// Whether the context is pushed anywhere.
        public var isPushed: Bool { self.lifetime.identity != 0 }

        /// Adds a function that gets the response of this request alone, before those of the app, in order of registration.
        ///
        /// They run once the response is there; one that is added later is not called, unless another such function adds it
        /// (`LIF-12`, `LIF-13`). Only a dispatch calls them.
        public func afterThisRequest(
            _ name: String? = nil,
            fileID: StaticString = #fileID,
            line: UInt = #line,
            _ handle: @escaping @Sendable (RequestContext, Response) throws -> Response
        ) {
            let name = name ?? Site(fileID: fileID, line: line).description
            self.mutable.withLock { $0.after.append(Handler(name: name, body: .sync { try handle($0.0, $0.1) })) }
        }

        func afterFunction(at index: Int) -> AfterFunction? {
            self.mutable.withLock { index < $0.after.count ? $0.after[index] : nil }
        }

        func setAppContext(_ context: AppContext) {
            // The old one leaves the lock before it is released: what its `g` holds may run user code when it dies.
            let last = self.mutable.withLock { mutable in
                let last = mutable.appContext
                mutable.appContext = context
                return last
            }
            withExtendedLifetime(last) {}
        }

        // MARK: - Session and routes

        /// Whether ``open()`` calls anything of the user's, which must see the context as the current one.
        var opensForUser: Bool { self.app.hasSessions }

        /// Opens the session, if there is none yet, and matches the path. The context is current already.
        func open() throws {
            if self.app.hasSessions, let sessions = self.app.sessions {
                try self.openSession(with: sessions)
            } else {
                self.opensNullSession.store(true, ordering: .releasing)
            }
            guard self.app.hasRoutes else {
                self.state.noteUnrouted()
                return
            }
            self.state.match =
                switch self.app.handlers?.handlers.routes.match(self.state.target, self.state.method) {
                case .matched(_, let viewArgs, let route, _)?: .route(route, viewArgs: viewArgs)
                case .methodNotAllowed(let methods)?: .methodNotAllowed(methods)
                case .notFound?, nil: .notFound
                }
        }

        /// The session, if one was opened.
        private var openedSession: Session? {
            self.mutable.withLock { mutable in
                if mutable.session == nil, self.opensNullSession.load(ordering: .acquiring) {
                    mutable.session = Session.null()
                }
                return mutable.session
            }
        }

        private func openSession(with sessions: any SessionInterface) throws {
            guard self.openedSession == nil else { return }
            let opened = try sessions.openSession(self.app, self) ?? sessions.makeNullSession(self.app)
            self.mutable.withLock { if $0.session == nil { $0.session = opened } }
        }

        /// Saves the session with the app's own store, unless it is a null session (`LIF-06`).
        ///
        /// - Parameter other: Whose session it is, when a function left another context current, be it of another app.
        package func saveSession(of other: RequestContext? = nil, into fields: inout HTTPFields) throws {
            guard let sessions = self.app.sessions else { return }
            let session = try (other ?? self).session
            guard !session.isNull else { return }
            try sessions.saveSession(session, self, into: &fields)
        }

        // MARK: - The trail

        /// The level that differs from the app's: a test's, else the route's.
        var ownLevel: FlightRecorder.Level? { self.mutable.withLock { $0.testLevel ?? $0.routeLevel } }

        func note(_ choice: RecordingChoice) { self.mutable.withLock { $0.routeLevel = choice.level } }

        /// Records as much as a test asks for.
        func follow(_ level: FlightRecorder.Level?) { self.mutable.withLock { $0.testLevel = level } }

        var recordedRequest: FlightRecorder.RequestLine {
            FlightRecorder.RequestLine(
                method: self.state.method.rawValue,
                path: self.recordedPath,
                endpoint: self.endpoint,
                requestID: self.state.requestID.map { self.storable($0, limit: 128) },
                traceID: self.state.traceID.map { self.storable($0, limit: 128) }
            )
        }

        /// The path as it may be stored and shown: without its query, redacted, and of limited length.
        fileprivate var recordedPath: String {
            self.storable(self.state.pathText, limit: 192)
        }

        /// A text of the client's as it may be stored and shown.
        private func storable(_ text: String, limit: Int) -> String {
            self.app.withRecorder { $0.redacted(text, limit: limit) } ?? RedactionPolicy().redacted(text, limit: limit)
        }
    }
}

extension App.RequestContext: CustomStringConvertible {
    /// `<RequestContext '/orders/7' [GET] of orders>`, without the query, which may hold secrets.
    public var description: String {
        "<RequestContext '\(self.recordedPath)' [\(self.state.method.rawValue)] of \(self.app.name)>"
    }
}
