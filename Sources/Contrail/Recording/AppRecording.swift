// How much the contexts of an app record, and of how many of them.

public import ContrailRecorder

extension App {
    /// How much the contexts of an app record, and of how many of them.
    ///
    /// ```swift
    /// let recording = App.Recording(rate: 0.1, slow: .milliseconds(500), routes: ["/pay": .init(level: .replay, rate: 1)])
    /// let app = App("shop", recorder: trail.recorder, recording: recording)
    /// ```
    ///
    /// A recorder that is off records nothing, whatever is said here. A context that is sampled out leaves nothing but the
    /// recycles of its worker, unless it fails, is slow, or has a problem: then it is kept after all, with up to 256 events of
    /// before. Its events have the times at which they were kept; `duration_ns` of its end is as it was.
    public struct Recording: Sendable {
        /// How much the contexts record; `nil` follows the recorder, and `off` leaves the app without one.
        public var level: FlightRecorder.Level?
        /// Which part of the contexts is recorded from the start, from 0 to 1. What is nested in another context shares its fate.
        public var rate: Double
        /// A sampled-out context that takes at least so long is kept.
        public var slow: Duration
        /// What differs for a route, by its endpoint.
        public var routes: [String: Route]
        /// The header fields of requests that are recorded at the level `replay`, in lower case. Secret ones leave a placeholder.
        public var requestHeaders: Set<String>
        /// The header fields of responses that are recorded at the level `replay`, in lower case.
        public var responseHeaders: Set<String>

        /// The header fields of requests that are recorded unless said otherwise.
        public static let defaultRequestHeaders: Set<String> = [
            "accept", "accept-encoding", "accept-language", "authorization", "content-encoding", "content-length",
            "content-type", "cookie", "host", "idempotency-key", "if-match", "if-modified-since", "if-none-match",
            "origin", "range", "traceparent", "user-agent", "x-request-id",
        ]
        /// The header fields of responses that are recorded unless said otherwise.
        public static let defaultResponseHeaders: Set<String> = [
            "allow", "cache-control", "content-encoding", "content-length", "content-type", "etag", "last-modified",
            "location", "retry-after", "set-cookie", "vary",
        ]

        /// What differs for one route. What is `nil` is as for the app.
        public struct Route: Sendable {
            /// How much is recorded; `off` records nothing, also of what fails.
            public var level: FlightRecorder.Level?
            /// Which part of the requests is recorded from the start, from 0 to 1.
            public var rate: Double?
            /// A sampled-out request that takes at least so long is kept.
            public var slow: Duration?

            /// Says what differs.
            public init(level: FlightRecorder.Level? = nil, rate: Double? = nil, slow: Duration? = nil) {
                self.level = level
                self.rate = rate
                self.slow = slow
            }
        }

        /// Makes settings. Without any, every context is recorded at the recorder's level.
        public init(
            level: FlightRecorder.Level? = nil,
            rate: Double = 1,
            slow: Duration = .seconds(1),
            routes: [String: Route] = [:],
            requestHeaders: Set<String> = Recording.defaultRequestHeaders,
            responseHeaders: Set<String> = Recording.defaultResponseHeaders
        ) {
            self.level = level
            self.rate = rate
            self.slow = slow
            self.routes = routes
            self.requestHeaders = requestHeaders
            self.responseHeaders = responseHeaders
        }

        /// Whether not all contexts are recorded alike.
        var isSelective: Bool { self.rate < 1 || !self.routes.isEmpty }

        /// What is to become of a context that begins now.
        func choice(endpoint: String?) -> RecordingChoice {
            let route = endpoint.flatMap { self.routes[$0] }
            if let route, route.level == .off {
                return RecordingChoice(level: .off, terms: SampleTerms(isMuted: true))
            }
            let rate = route?.rate ?? self.rate
            // A rate that is no number records everything.
            let isSampledOut = rate < 1 && Double.random(in: 0..<1) >= rate
            let slow = max((route?.slow ?? self.slow) / .nanoseconds(1), 0)
            let terms = SampleTerms(slowNanoseconds: slow < 1e18 ? UInt64(slow) : .max)
            return RecordingChoice(level: route?.level, terms: isSampledOut ? terms : nil)
        }
    }
}

/// What was decided for one context when it began.
struct RecordingChoice: Sendable {
    /// How much it records; nil as its app does.
    let level: FlightRecorder.Level?
    /// On what terms it was sampled out; nil when it was not.
    let terms: SampleTerms?
}
