// What events about the life of a context carry.

extension TrailEvent {
    /// A push of a context.
    package struct Push: Sendable {
        /// How the context came to be.
        package enum Origin: String, Sendable, CaseIterable {
            /// By an HTTP request.
            case http
            /// As an owned copy of another.
            case copy
            /// By a borrower.
            case borrow
            /// By a call of the program.
            case manual
            /// By a test.
            case test
        }

        /// Which push of the lifetime it is, from 1. Only the first begins a lifetime.
        package let depth: Int
        /// How the context came to be.
        package let origin: Origin
        /// The app's name.
        package let app: RecordedText
        /// The context it was pushed under.
        package let parent: ContextOrdinal?
        /// Where it was pushed.
        package let site: RecordedText
        /// What was requested; `nil` for an app context.
        package let request: Request?

        /// Describes a push.
        package init(
            depth: Int,
            origin: Origin,
            app: RecordedText,
            parent: ContextOrdinal?,
            site: RecordedText,
            request: Request? = nil
        ) {
            self.depth = depth
            self.origin = origin
            self.app = app
            self.parent = parent
            self.site = site
            self.request = request
        }
    }

    /// What a request context was pushed for.
    package struct Request: Sendable {
        /// The method, in upper case.
        package let method: String
        /// The path without its query, at most 192 bytes.
        package let path: String
        /// The pattern of the route that matched, such as `/orders/{id}`.
        package let endpoint: RecordedText?
        /// The server's id of the request.
        package let requestID: String?
        /// The trace that the client sent along.
        package let traceID: String?

        /// Describes a request.
        package init(method: String, path: String, endpoint: RecordedText?, requestID: String?, traceID: String?) {
            self.method = method
            self.path = path
            self.endpoint = endpoint
            self.requestID = requestID
            self.traceID = traceID
        }
    }

    /// A pop of a context.
    package struct Pop: Sendable {
        /// How many pushes of the lifetime remain. Zero ends it.
        package let remaining: Int
        /// How the lifetime ended.
        package let outcome: Outcome
        /// The text of the error, redacted, at most 256 bytes.
        package let error: String?
        /// Nanoseconds since the first push.
        package let durationNanoseconds: UInt64
        /// Where it was popped.
        package let site: RecordedText

        /// Describes a pop.
        package init(remaining: Int, outcome: Outcome, error: String?, durationNanoseconds: UInt64, site: RecordedText)
        {
            self.remaining = remaining
            self.outcome = outcome
            self.error = error
            self.durationNanoseconds = durationNanoseconds
            self.site = site
        }
    }

    /// How a lifetime ended, as the trail stores it.
    package enum Outcome: String, Sendable, CaseIterable {
        /// It did what it was to do.
        case ok
        /// It failed and the error was turned into an answer.
        case handled
        /// It failed.
        case failed
        /// It was cancelled, or the client went away.
        case aborted
        /// Nobody popped it.
        case leaked
    }
}
