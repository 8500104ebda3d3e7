// The kinds of events, with the code under which a trail stores each.

/// What happened. The set grows: handle kinds you do not know.
public struct EventKind: Hashable, Sendable, CustomStringConvertible {
    /// The number under which the trail stores it. Never reused.
    public let code: UInt8
    /// The name in SQL.
    public let name: String

    private init(_ code: UInt8, _ name: String) {
        self.code = code
        self.name = name
    }

    /// The name in SQL.
    public var description: String { self.name }

    /// Compares the codes.
    public static func == (left: EventKind, right: EventKind) -> Bool { left.code == right.code }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) { hasher.combine(self.code) }

    /// A run began.
    public static let runStart = EventKind(1, "run_start")
    /// A run ended in order.
    public static let runEnd = EventKind(2, "run_end")
    /// An app context was pushed.
    public static let appPush = EventKind(3, "app_push")
    /// An app context was popped.
    public static let appPop = EventKind(4, "app_pop")
    /// A request context was pushed.
    public static let requestPush = EventKind(5, "request_push")
    /// A request context was popped.
    public static let requestPop = EventKind(6, "request_pop")
    /// A teardown hook ran.
    public static let teardown = EventKind(7, "teardown")
    /// A name in `g` was set.
    public static let gSet = EventKind(8, "g_set")
    /// A name in `g` was removed.
    public static let gDelete = EventKind(9, "g_delete")
    /// All of `g` was written down.
    public static let gSnapshot = EventKind(10, "g_snapshot")
    /// A worker ended its unit and began the next.
    public static let recycle = EventKind(11, "recycle")
    /// A context was read after it had ended.
    public static let staleRead = EventKind(12, "stale_read")
    /// A context was pushed and never popped.
    public static let leak = EventKind(13, "leak")
    /// A pop was refused.
    public static let rejectedPop = EventKind(14, "rejected_pop")
    /// A pop was refused because another task or thread owns the push.
    public static let foreignPop = EventKind(15, "foreign_pop")
    /// A signal's receiver threw.
    public static let signalFailed = EventKind(18, "signal_failed")
    /// A context was handed to other work.
    public static let handoff = EventKind(19, "handoff")
    /// The user left a mark.
    public static let mark = EventKind(20, "mark")
    /// An error was noted.
    public static let error = EventKind(21, "error")
    /// Events were dropped because the buffer was full.
    public static let drop = EventKind(25, "drop")

    /// A borrower read a context that its owner had ended.
    public static let borrowOutlived = EventKind(17, "borrow_outlived")

    /// All kinds that this version records.
    public static let all: [EventKind] = [
        .runStart, .runEnd, .appPush, .appPop, .requestPush, .requestPop, .teardown, .gSet, .gDelete, .gSnapshot,
        .recycle,
        .staleRead, .leak, .rejectedPop, .foreignPop, .borrowOutlived, .signalFailed, .handoff, .mark, .error, .drop,
    ]
}
