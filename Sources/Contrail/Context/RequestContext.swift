// The request context.

package import ContrailRecorder
public import HTTPTypes
internal import Synchronization

extension App {
    /// A request context: it makes a request current, on an app context of the same app.
    ///
    /// Pushing it reuses a current app context of the same app object, and pushes one of its own otherwise, which it then
    /// also pops (`REQ-02`, `REQ-03`). Usually ``withRequestContext(_:_:worker:fileID:line:_:)`` or a server's
    /// middleware makes, pushes and pops it.
    public final class RequestContext: ContextDrawing {
        /// The app that is current while the context is.
        public let app: App
        /// The request's head.
        public let request: HTTPRequest
        /// The pattern of the route that matched, such as `/orders/{id}`; `nil` when it is not known.
        public let endpoint: String?
        /// The server's id of the request.
        public let requestID: String?
        /// The id of the trace that the client sent along (`traceparent`).
        public let traceID: String?

        let origin: TrailEvent.Push.Origin
        let lifetime = LifetimeState()

        private let lastAppContext = Mutex<AppContext?>(nil)

        /// Makes a context for a request. It is not current until it is pushed.
        public convenience init(
            _ app: App,
            _ request: HTTPRequest,
            endpoint: String? = nil,
            requestID: String? = nil
        ) {
            self.init(app, request, endpoint: endpoint, requestID: requestID, origin: .manual)
        }

        package init(
            _ app: App,
            _ request: HTTPRequest,
            endpoint: String?,
            requestID: String?,
            origin: TrailEvent.Push.Origin
        ) {
            self.app = app
            self.request = request
            self.endpoint = endpoint
            self.requestID = requestID
            self.traceID = Self.traceID(in: request.headerFields)
            self.origin = origin
        }

        /// The app context on which the request context was pushed last; `nil` before its first push.
        public var appContext: AppContext? {
            self.lastAppContext.withLock { $0 }
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

        /// Whether the context is pushed anywhere.
        public var isPushed: Bool { self.lifetime.identity != 0 }

        func setAppContext(_ context: AppContext) {
            // The old one leaves the lock before it is released: what its `g` holds may run user code when it dies.
            _ = self.lastAppContext.withLock { last in
                defer { last = context }
                return last
            }
        }

        var recordedRequest: TrailEvent.Request {
            TrailEvent.Request(
                method: self.request.method.rawValue,
                path: self.recordedPath,
                endpoint: self.endpoint,
                requestID: self.requestID,
                traceID: self.traceID
            )
        }

        /// The path as it may be stored and shown: without its query, redacted, and of limited length.
        fileprivate var recordedPath: String {
            let path = (self.request.path ?? "/").prefix { $0 != "?" && $0 != "#" }
            return (self.app.recorder?.redaction ?? RedactionPolicy()).redacted(String(path), limit: 192)
        }

        /// The second field of a W3C `traceparent`, if it is 32 hexadecimal digits: what a client sends is not to be trusted.
        private static func traceID(in fields: HTTPFields) -> String? {
            guard let name = HTTPField.Name("traceparent"), let value = fields[name] else { return nil }
            let parts = value.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
            guard parts.count >= 3, parts[1].utf8.count == 32, parts[1].allSatisfy({ $0.isASCII && $0.isHexDigit })
            else {
                return nil
            }
            return parts[1].lowercased()
        }
    }
}

extension App.RequestContext: CustomStringConvertible {
    /// `<RequestContext '/orders/7' [GET] of orders>`, without the query, which may hold secrets.
    public var description: String {
        "<RequestContext '\(self.recordedPath)' [\(self.request.method.rawValue)] of \(self.app.name)>"
    }
}
