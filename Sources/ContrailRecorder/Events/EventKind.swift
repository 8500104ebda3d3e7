// The kinds of events, with the code under which a trail stores each.

/// What happened. The set grows: handle kinds you do not know.
package struct EventKind: Hashable, Sendable, CustomStringConvertible {
    /// The number under which the trail stores it. Never reused.
    package let code: UInt8
    /// The name in SQL.
    package let name: String

    private init(_ code: UInt8, _ name: String) {
        self.code = code
        self.name = name
    }

    /// The name in SQL.
    package var description: String { self.name }

    /// Compares the codes.
    package static func == (left: EventKind, right: EventKind) -> Bool { left.code == right.code }

    /// Hashes the code.
    package func hash(into hasher: inout Hasher) { hasher.combine(self.code) }

    /// A run began.
    package static let runStart = EventKind(1, "run_start")
    /// A run ended in order.
    package static let runEnd = EventKind(2, "run_end")
    /// An app context was pushed.
    package static let appPush = EventKind(3, "app_push")
    /// An app context was popped.
    package static let appPop = EventKind(4, "app_pop")
    /// A request context was pushed.
    package static let requestPush = EventKind(5, "request_push")
    /// A request context was popped.
    package static let requestPop = EventKind(6, "request_pop")
    /// A teardown hook ran.
    package static let teardown = EventKind(7, "teardown")
    /// A name in `g` was set.
    package static let gSet = EventKind(8, "g_set")
    /// A name in `g` was removed.
    package static let gDelete = EventKind(9, "g_delete")
    /// All of `g` was written down.
    package static let gSnapshot = EventKind(10, "g_snapshot")
    /// A worker ended its unit and began the next.
    package static let recycle = EventKind(11, "recycle")
    /// A context was read after it had ended.
    package static let staleRead = EventKind(12, "stale_read")
    /// A context was pushed and never popped.
    package static let leak = EventKind(13, "leak")
    /// A pop was refused.
    package static let rejectedPop = EventKind(14, "rejected_pop")
    /// A pop was refused because another task or thread owns the push.
    package static let foreignPop = EventKind(15, "foreign_pop")
    /// Work began on a thread on which earlier work had left a context pushed.
    package static let poisonedWorker = EventKind(16, "poisoned_worker")
    /// A signal's receiver threw.
    package static let signalFailed = EventKind(18, "signal_failed")
    /// A context was handed to other work.
    package static let handoff = EventKind(19, "handoff")
    /// The user left a mark.
    package static let mark = EventKind(20, "mark")
    /// A step of a request failed and nothing else shows it.
    package static let error = EventKind(21, "error")
    /// A request as it came in, for a replay.
    package static let requestInput = EventKind(22, "request_input")
    /// A response as it went out, for a replay.
    package static let responseOutput = EventKind(23, "response_output")
    /// A value was drawn through a context.
    package static let drawn = EventKind(24, "drawn")
    /// A value could not be encoded.
    package static let payloadLost = EventKind(31, "payload_lost")
    /// Events were dropped because the buffer was full.
    package static let drop = EventKind(25, "drop")
    /// Records were begun and never finished: their writer was killed, or stood still for too long.
    package static let torn = EventKind(26, "torn")
    /// The wall clock was set by more than 50 ms.
    package static let clockStep = EventKind(27, "clock_step")

    /// A borrower read a context that its owner had ended.
    package static let borrowOutlived = EventKind(17, "borrow_outlived")

    /// All kinds that this version records.
    package static let all: [EventKind] = [
        .runStart, .runEnd, .appPush, .appPop, .requestPush, .requestPop, .teardown, .gSet, .gDelete, .gSnapshot,
        .recycle,
        .staleRead, .leak, .rejectedPop, .foreignPop, .poisonedWorker, .borrowOutlived, .signalFailed, .handoff,
        .mark, .error, .requestInput, .responseOutput, .drawn, .drop, .torn, .clockStep, .payloadLost,
    ]

    /// The kinds that a ``TrailEvent/Problem`` has.
    package static let problems: [EventKind] = [
        .staleRead, .leak, .rejectedPop, .foreignPop, .poisonedWorker, .borrowOutlived,
    ]

    /// The bit that stands for the kind in a set of kinds. Codes are below 64.
    package var bit: UInt64 { 1 << UInt64(self.code & 63) }

    /// The kinds in a set, in the order of their codes.
    package static func kinds(in set: UInt64) -> [EventKind] {
        Self.all.filter { set & $0.bit != 0 }.sorted { $0.code < $1.code }
    }
}
