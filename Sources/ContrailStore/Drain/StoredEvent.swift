// An event as the columns of one row.

internal import ContrailRecorder

/// The columns of a row of `event` that depend on the kind.
struct StoredEvent {
    var other: TrailEvent.ContextOrdinal?
    var name: RecordedText?
    var site: RecordedText?
    var durationNanoseconds: UInt64?
    var outcome: String?
    var detail: String?

    init(_ body: TrailEvent.Body) {
        switch body {
        case .runStart, .runEnd: break
        case .appPush(let push), .requestPush(let push): self.set(push)
        case .appPop(let pop), .requestPop(let pop): self.set(pop)
        case .teardown(let teardown): self.set(teardown)
        case .gSet(let key, let value, let site):
            self.name = key
            self.site = site
            self.setDetail { $0.add("value", value) }
        case .gDelete(let name, let site), .handoff(let name, let site), .mark(let name, let site):
            self.name = name
            self.site = site
        case .gSnapshot(let snapshot): self.name = RecordedText(snapshot.label)
        case .recycle(let recycle):
            self.setDetail {
                $0.add("before", recycle.before)
                $0.add("dropped", recycle.variablesDropped)
            }
        case .problem(let problem):
            self.other = problem.other
            self.site = problem.site
            self.setDetail {
                $0.add("message", problem.message)
                $0.add("owner_site", problem.ownerSite?.text)
                $0.add("age_ns", problem.ageNanoseconds)
            }
        case .signalFailed(let name, let error), .error(let name, let error):
            self.name = name
            self.setDetail { $0.add("error", error) }
        case .drop(let drop):
            self.setDetail {
                $0.add("count", drop.count)
                $0.add("first_seq", drop.firstSeq)
                $0.add("last_seq", drop.lastSeq)
            }
        case .torn(let torn):
            self.setDetail {
                $0.add("slots", torn.slots)
                $0.add("first_seq", torn.firstSeq)
                $0.add("last_seq", torn.lastSeq)
            }
        }
    }

    private mutating func set(_ push: TrailEvent.Push) {
        self.other = push.parent
        self.name = push.app
        self.site = push.site
        self.setDetail {
            if push.origin != .manual { $0.add("origin", push.origin.rawValue) }
            if push.depth != 1 { $0.add("depth", push.depth) }
            $0.add("method", push.request?.method)
            $0.add("path", push.request?.path)
            $0.add("endpoint", push.request?.endpoint?.text)
            $0.add("request_id", push.request?.requestID)
            $0.add("trace_id", push.request?.traceID)
        }
    }

    private mutating func set(_ pop: TrailEvent.Pop) {
        self.site = pop.site
        self.outcome = pop.outcome.rawValue
        self.durationNanoseconds = pop.durationNanoseconds
        self.setDetail {
            if pop.remaining != 0 { $0.add("remaining", pop.remaining) }
            $0.add("error", pop.error)
        }
    }

    private mutating func set(_ teardown: TrailEvent.Teardown) {
        self.name = teardown.hook
        self.site = teardown.site
        self.durationNanoseconds = teardown.durationNanoseconds
        self.setDetail {
            $0.add("position", teardown.position)
            $0.add("error", teardown.error)
        }
    }

    private mutating func setDetail(_ write: (inout JSONText) -> Void) {
        var json = JSONText()
        write(&json)
        self.detail = json.isEmpty ? nil : json.text
    }
}
