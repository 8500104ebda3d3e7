// One immutable event, as a typed value: what every kind carries, and what each kind carries besides.

/// One event of a run. Made by a ``FlightRecorder``, read by a drain.
package struct TrailEvent: Sendable {
    /// The number of the event in its run, from 1. A dropped event keeps its number, so a gap is a drop.
    package let seq: UInt64
    /// When, in nanoseconds of the monotonic clock.
    package let monotonicNanoseconds: UInt64
    /// The operating system's id of the thread that recorded it; `nil` for events of the drain itself.
    package let thread: Int64?
    /// The worker that hosted the unit of work.
    package let worker: WorkerLabel?
    /// The epoch of the unit of work.
    package let epoch: UInt64?
    /// The lifetime it belongs to, by its ordinal in the run.
    package let context: ContextOrdinal?
    /// What happened.
    package let body: Body

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
    package typealias ContextOrdinal = UInt32

    /// A worker as kind and number: `conn` and 17.
    package struct WorkerLabel: Hashable, Sendable {
        /// The kind, from a small set.
        package let kind: RecordedText
        /// Which one of that kind.
        package let number: Int64

        /// Names a worker.
        package init(kind: RecordedText, number: Int64) {
            self.kind = kind
            self.number = number
        }
    }

    /// What happened, by kind. The set grows: handle cases you do not know.
    package enum Body: Sendable {
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
        case gSet(key: RecordedText, value: RecordedValue, site: RecordedText)
        /// A name in `g` was removed.
        case gDelete(key: RecordedText, site: RecordedText)
        /// All of `g` was written down.
        case gSnapshot(Snapshot)
        /// A worker ended its unit and began the next.
        case recycle(Recycle)
        /// Something happened that should not.
        case problem(Problem)
        /// A signal's receiver threw.
        case signalFailed(signal: RecordedText, error: String)
        /// A step of a request failed and nothing else shows it.
        case error(step: RecordedText, error: String)
        /// A context was handed to other work.
        case handoff(name: RecordedText, site: RecordedText)
        /// The user left a mark.
        case mark(name: RecordedText, site: RecordedText)
        /// A request as it came in, or a part of it: JSON.
        case requestInput(json: String)
        /// A response as it went out, or a part of it: JSON.
        case responseOutput(json: String)
        /// A value was drawn through a context.
        case drawn(name: RecordedText, type: String, value: RecordedValue)
        /// A value could not be encoded.
        case payloadLost(LostPayload)
        /// Events were dropped.
        case drop(Drop)
        /// Records were begun and never finished.
        case torn(Torn)
        /// The wall clock was set.
        case clockStep(ClockStep)
    }

    /// The kind of the event.
    package var kind: EventKind {
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
        case .error: .error
        case .handoff: .handoff
        case .mark: .mark
        case .requestInput: .requestInput
        case .responseOutput: .responseOutput
        case .drawn: .drawn
        case .payloadLost: .payloadLost
        case .drop: .drop
        case .torn: .torn
        case .clockStep: .clockStep
        }
    }

    /// The same event with something else to say.
    package func saying(_ body: Body) -> TrailEvent {
        TrailEvent(
            seq: self.seq,
            monotonicNanoseconds: self.monotonicNanoseconds,
            thread: self.thread,
            worker: self.worker,
            epoch: self.epoch,
            context: self.context,
            body: body
        )
    }
}
