// An event as the columns of one row: what its kind has to say becomes a code and one value of any type.

internal import ContrailRecorder

/// The columns of a row of `event` that depend on the kind. What they say is written down in migration 4.
struct StoredEvent {
    /// What the column `extra` gets.
    enum Extra {
        case none
        case integer(Int64)
        case text(String)
        /// What the writer put into its JSON.
        case json
    }

    var name: RecordedText?
    var site: RecordedText?
    var durationNanoseconds: UInt64?
    var code: Int64?
    var extra = Extra.none

    /// - Parameters:
    ///   - json: Where JSON is written, if the kind has some. Begun anew.
    ///   - contextID: The id of a context in the database, from its number in the run.
    init(_ body: borrowing TrailEvent.Body, json: inout JSONText, contextID: (TrailEvent.ContextOrdinal) -> Int64) {
        switch body {
        case .runStart, .runEnd: break
        case .appPush(let push), .requestPush(let push):
            self.name = push.app
            self.site = push.site
            self.code = push.origin.code | Int64(push.depth - 1) << 3
            if let parent = push.parent { self.extra = .integer(contextID(parent)) }
        case .appPop(let pop), .requestPop(let pop):
            self.site = pop.site
            self.durationNanoseconds = pop.durationNanoseconds
            self.code = pop.outcome.code | Int64(pop.remaining) << 3
            if let error = pop.error { self.extra = .text(error) }
        case .teardown(let teardown):
            self.name = teardown.hook
            self.site = teardown.site
            self.durationNanoseconds = teardown.durationNanoseconds
            self.code = Int64(teardown.position)
            if let error = teardown.error { self.extra = .text(error) }
        case .gSet(let key, let value, let site):
            self.name = key
            self.site = site
            self.set(value, &json)
        case .gDelete(let name, let site), .handoff(let name, let site), .mark(let name, let site):
            self.name = name
            self.site = site
        case .gSnapshot(let snapshot):
            self.name = RecordedText(snapshot.label)
            self.code = json.write(snapshot.values) || snapshot.omitted > 0 ? 1 : 0
            self.extra = .json
        case .recycle(let recycle):
            self.code = Int64(recycle.variablesDropped)
            if let before = recycle.before { self.extra = .integer(Int64(clamping: before)) }
        case .problem(let problem):
            self.site = problem.site
            self.code = problem.other.map(contextID)
            json.begin()
            json.add("message", problem.message)
            json.add("owner_site", problem.ownerSite?.text)
            json.add("age_ns", problem.ageNanoseconds)
            json.end()
            self.extra = .json
        case .signalFailed(let name, let error), .error(let name, let error):
            self.name = name
            self.extra = .text(error)
        case .requestInput(let text), .responseOutput(let text): self.extra = .text(text)
        case .drawn(let name, let type, let value):
            self.name = name
            json.begin()
            json.add("type", type)
            json.add("value", value)
            json.end()
            self.extra = .json
        case .payloadLost(let lost):
            self.name = lost.name
            json.begin()
            json.add("seq", lost.seq)
            json.add("type", lost.type)
            json.add("reason", lost.reason.rawValue)
            if lost.count > 1 { json.add("count", lost.count) }
            json.end()
            self.extra = .json
        case .drop(let drop):
            self.code = Int64(clamping: drop.count)
            json.begin()
            json.add("count", drop.count)
            json.add("first_seq", drop.firstSeq)
            json.add("last_seq", drop.lastSeq)
            json.add("cause", drop.cause.description)
            json.add("kinds", EventKind.kinds(in: drop.kinds).map(\.name))
            json.end()
            self.extra = .json
        case .torn(let torn):
            json.begin()
            json.add("slots", torn.slots)
            json.add("first_seq", torn.firstSeq)
            json.add("last_seq", torn.lastSeq)
            json.end()
            self.extra = .json
        case .clockStep(let step):
            json.begin()
            json.add("step_us", step.microseconds)
            json.add("offset_us", step.offset)
            json.add("wall", step.wall)
            json.end()
            self.extra = .json
        }
    }

    private mutating func set(_ value: RecordedValue, _ json: inout JSONText) {
        self.code = value.code
        switch value {
        case .integer(let integer): self.extra = .integer(integer)
        case .text(let text): self.extra = .text(text)
        case .encoded(let payload) where payload.text != nil: self.extra = .text(payload.text ?? "")
        case .bool(let bool): self.extra = .integer(bool ? 1 : 0)
        case .double, .described, .object, .waiting, .encoded:
            json.write(value)
            self.extra = .json
        case .null, .redacted: break
        }
    }
}

extension TrailEvent.Push.Origin {
    /// The number that stands for it in `event.code`.
    fileprivate var code: Int64 {
        switch self {
        case .manual: 0
        case .http: 1
        case .copy: 2
        case .borrow: 3
        case .test: 4
        }
    }
}

extension TrailEvent.Outcome {
    /// The number that stands for it in `event.code`.
    fileprivate var code: Int64 {
        switch self {
        case .ok: 1
        case .handled: 2
        case .failed: 3
        case .aborted: 4
        case .leaked: 5
        }
    }
}

extension RecordedValue {
    /// The number that stands for its type in `event.code`.
    fileprivate var code: Int64 {
        switch self {
        case .integer: 0
        case .text: 1
        case .null: 2
        case .bool: 3
        case .double: 4
        // JSON that is all of the value, as a number's is.
        case .encoded(let payload): payload.text != nil ? 1 : payload.isExact ? 4 : 5
        case .described, .object, .waiting: 5
        case .redacted: 6
        }
    }
}
