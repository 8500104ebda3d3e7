// One immutable event, as a typed value: what every kind carries, and what each kind carries besides.

/// One event of a run. Made by a ``FlightRecorder``, read by a drain.
public struct TrailEvent: Sendable {
    /// The number of the event in its run, from 1. A dropped event keeps its number, so a gap is a drop.
    public let seq: UInt64
    /// When, in nanoseconds of the monotonic clock.
    public let monotonicNanoseconds: UInt64
    /// The operating system's id of the thread that recorded it; `nil` for events of the drain itself.
    public let thread: Int64?
    /// The worker that hosted the unit of work.
    public let worker: WorkerLabel?
    /// The epoch of the unit of work.
    public let epoch: UInt64?
    /// The lifetime it belongs to, by its ordinal in the run.
    public let context: ContextOrdinal?
    /// What happened.
    public let body: Body

    package init(
        seq: UInt64,
        monotonicNanoseconds: UInt64,
        thread: Int64?,
        worker: WorkerLabel?,
        epoch: UInt64?,
        context: ContextOrdinal?,
        body: Body
    ) {
        self.seq = seq
        self.monotonicNanoseconds = monotonicNanoseconds
        self.thread = thread
        self.worker = worker
        self.epoch = epoch
        self.context = context
        self.body = body
    }

    /// The number of a lifetime in its run, from 1.
    public typealias ContextOrdinal = UInt32

    /// A worker as kind and number: `conn` and 17.
    public struct WorkerLabel: Hashable, Sendable {
        /// The kind, from a small set.
        public let kind: String
        /// Which one of that kind.
        public let number: Int64

        /// Names a worker.
        public init(kind: String, number: Int64) {
            self.kind = kind
            self.number = number
        }
    }

    /// What happened, by kind. The set grows: handle cases you do not know.
    public enum Body: Sendable {
        /// A run began.
        case runStart
        /// A run ended in order.
        case runEnd
        /// An app context was pushed.
        case appPush(Push)
        /// An app context was popped.
        case appPop(Pop)
        /// A request context was pushed.
        case requestPush(Push)
        /// A request context was popped.
        case requestPop(Pop)
        /// A teardown hook ran.
        case teardown(Teardown)
        /// A name in `g` was set.
        case gSet(key: String, value: RecordedValue, site: Site)
        /// A name in `g` was removed.
        case gDelete(key: String, site: Site)
        /// All of `g` was written down.
        case gSnapshot(Snapshot)
        /// A worker ended its unit and began the next.
        case recycle(Recycle)
        /// Something happened that should not.
        case problem(Problem)
        /// A signal's receiver threw.
        case signalFailed(signal: String, error: String)
        /// A context was handed to other work.
        case handoff(name: String, site: Site)
        /// The user left a mark.
        case mark(name: String, site: Site)
        /// An error was noted.
        case error(text: String, site: Site)
        /// Events were dropped.
        case drop(Drop)
    }

    /// A push of a context.
    public struct Push: Sendable {
        /// How the context came to be.
        public enum Origin: String, Sendable {
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
        public let depth: Int
        /// How the context came to be.
        public let origin: Origin
        /// The app's name.
        public let app: String
        /// The context it was pushed under.
        public let parent: ContextOrdinal?
        /// Where it was pushed.
        public let site: Site
        /// What was requested; `nil` for an app context.
        public let request: Request?

        /// Describes a push.
        public init(
            depth: Int,
            origin: Origin,
            app: String,
            parent: ContextOrdinal?,
            site: Site,
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
    public struct Request: Sendable {
        /// The method, in upper case.
        public let method: String
        /// The path without its query, at most 192 bytes.
        public let path: String
        /// The pattern of the route that matched, such as `/orders/{id}`.
        public let endpoint: String?
        /// The server's id of the request.
        public let requestID: String?
        /// The trace that the client sent along.
        public let traceID: String?

        /// Describes a request. The query is dropped from the path, which is cut to 192 bytes.
        public init(method: String, path: String, endpoint: String?, requestID: String?, traceID: String?) {
            self.method = method
            let bytes = path.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
            self.path = RedactionPolicy.cut(bytes, to: 192)
            self.endpoint = endpoint
            self.requestID = requestID
            self.traceID = traceID
        }
    }

    /// A pop of a context.
    public struct Pop: Sendable {
        /// How many pushes of the lifetime remain. Zero ends it.
        public let remaining: Int
        /// How the lifetime ended.
        public let outcome: Outcome
        /// The text of the error, redacted, at most 256 bytes.
        public let error: String?
        /// Nanoseconds since the first push.
        public let durationNanoseconds: UInt64
        /// Where it was popped.
        public let site: Site

        /// Describes a pop.
        public init(remaining: Int, outcome: Outcome, error: String?, durationNanoseconds: UInt64, site: Site) {
            self.remaining = remaining
            self.outcome = outcome
            self.error = error
            self.durationNanoseconds = durationNanoseconds
            self.site = site
        }
    }

    /// How a lifetime ended, as the trail stores it.
    public enum Outcome: String, Sendable {
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

    /// One call of a teardown hook.
    public struct Teardown: Sendable {
        /// The hook's name.
        public let hook: String
        /// Its place in the order of execution, from 1.
        public let position: Int
        /// How long it took, in nanoseconds.
        public let durationNanoseconds: UInt64
        /// The text of the error it threw.
        public let error: String?
        /// Where it was registered.
        public let site: Site

        /// Describes a call of a hook.
        public init(hook: String, position: Int, durationNanoseconds: UInt64, error: String?, site: Site) {
            self.hook = hook
            self.position = position
            self.durationNanoseconds = durationNanoseconds
            self.error = error
            self.site = site
        }
    }

    /// All of `g` at one moment.
    public struct Snapshot: Sendable {
        /// Why it was taken: `teardown`, `failure`, or the caller's label.
        public let label: String
        /// The names and values in order of insertion, redacted.
        public let values: [(name: String, value: RecordedValue)]

        /// Describes a snapshot.
        public init(label: String, values: [(name: String, value: RecordedValue)]) {
            self.label = label
            self.values = values
        }
    }

    /// A worker's step from one unit to the next.
    public struct Recycle: Sendable {
        /// The epoch that ended; `nil` for the worker's first unit.
        public let before: UInt64?
        /// The epoch that began.
        public let after: UInt64
        /// How many recyclable values were released.
        public let variablesDropped: Int

        /// Describes a recycle.
        public init(before: UInt64?, after: UInt64, variablesDropped: Int) {
            self.before = before
            self.after = after
            self.variablesDropped = variablesDropped
        }
    }

    /// Something that should not happen.
    public struct Problem: Sendable {
        /// The kind: `leak`, `stale_read`, `rejected_pop`, `foreign_pop` or `borrow_outlived`.
        public let kind: EventKind
        /// The other context that is involved.
        public let other: ContextOrdinal?
        /// What happened, in one line.
        public let message: String
        /// The guilty place: the push that leaked, or the pop that was refused. A read that came too late went through a
        /// property, which cannot know its caller, and names that.
        public let site: Site

        /// Describes a problem.
        public init(kind: EventKind, other: ContextOrdinal?, message: String, site: Site) {
            self.kind = kind
            self.other = other
            self.message = message
            self.site = site
        }
    }

    /// Events that the full buffer refused.
    public struct Drop: Sendable {
        /// How many, exactly.
        public let count: UInt64
        /// No dropped event has a lower number.
        public let firstSeq: UInt64
        /// No dropped event has a higher number.
        public let lastSeq: UInt64

        /// Describes a drop.
        public init(count: UInt64, firstSeq: UInt64, lastSeq: UInt64) {
            self.count = count
            self.firstSeq = firstSeq
            self.lastSeq = lastSeq
        }
    }

    /// The kind of the event.
    public var kind: EventKind {
        switch self.body {
        case .runStart: .runStart
        case .runEnd: .runEnd
        case .appPush: .appPush
        case .appPop: .appPop
        case .requestPush: .requestPush
        case .requestPop: .requestPop
        case .teardown: .teardown
        case .gSet: .gSet
        case .gDelete: .gDelete
        case .gSnapshot: .gSnapshot
        case .recycle: .recycle
        case .problem(let problem): problem.kind
        case .signalFailed: .signalFailed
        case .handoff: .handoff
        case .mark: .mark
        case .error: .error
        case .drop: .drop
        }
    }
}
