// A record as the event that it is.

/// Decodes one record. Whatever its bytes are, the result is an event or nil.
struct RecordDecoder {
    private let record: RawRecord
    private var rest: RestReader

    init(_ record: RawRecord, _ rest: UnsafeRawBufferPointer) {
        self.record = record
        self.rest = RestReader(rest)
    }

    /// The event; nil when the record makes no sense.
    consuming func event(_ names: inout RingNames) -> TrailEvent? {
        let worker: TrailEvent.WorkerLabel?
        switch self.worker(&names) {
        case .some(let label): worker = label
        case nil: return nil
        }
        guard let body = self.body(&names) else { return nil }
        return TrailEvent(
            seq: self.record.seq,
            monotonicNanoseconds: self.record.time,
            thread: self.record.thread == 0 ? nil : self.record.thread,
            worker: worker,
            epoch: self.record.epoch == 0 ? nil : self.record.epoch,
            context: self.record.context == 0 ? nil : self.record.context,
            body: body
        )
    }

    /// The worker, or none; nil when it cannot be read.
    private mutating func worker(_ names: inout RingNames) -> TrailEvent.WorkerLabel?? {
        let kind = self.record.workerKind
        guard self.record.workerNumber == RecordHead.wideNumber else {
            guard kind != .none else { return .some(nil) }
            guard let name = names.text(of: kind) else { return nil }
            return .some(TrailEvent.WorkerLabel(kind: name, number: Int64(self.record.workerNumber)))
        }
        guard let text = self.rest.text(), let number = self.rest.number(UInt64.self) else { return nil }
        let name = kind == .inline || kind == .none ? RecordedText(text) : names.text(of: kind)
        guard let name else { return nil }
        return .some(TrailEvent.WorkerLabel(kind: name, number: Int64(bitPattern: number)))
    }

    private mutating func name(_ entry: RingEntry, _ names: inout RingNames) -> RecordedText? {
        entry == .inline ? self.rest.text().map { RecordedText($0) } : names.text(of: entry)
    }

    private mutating func body(_ names: inout RingNames) -> TrailEvent.Body? {
        switch self.record.kind {
        case EventKind.runStart.code: return .runStart
        case EventKind.runEnd.code: return .runEnd
        case EventKind.appPush.code: return self.push(&names, hasRequest: false).map { .appPush($0) }
        case EventKind.requestPush.code: return self.push(&names, hasRequest: true).map { .requestPush($0) }
        case EventKind.appPop.code: return self.pop(&names).map { .appPop($0) }
        case EventKind.requestPop.code: return self.pop(&names).map { .requestPop($0) }
        default: return self.named(NamedWords(self.record.words), &names)
        }
    }

    private mutating func push(_ names: inout RingNames, hasRequest: Bool) -> TrailEvent.Push? {
        guard let words = PushWords(self.record.words), let app = self.name(words.app, &names),
            let site = self.name(words.site, &names)
        else { return nil }
        var request: TrailEvent.Request?
        if hasRequest {
            guard let line = self.request(words, &names) else { return nil }
            request = line
        }
        return TrailEvent.Push(
            depth: words.depth,
            origin: words.origin,
            app: app,
            parent: words.parent == 0 ? nil : words.parent,
            site: site,
            request: request
        )
    }

    private mutating func request(_ words: PushWords, _ names: inout RingNames) -> TrailEvent.Request? {
        var endpoint: RecordedText?
        if words.endpoint != .none {
            guard let name = self.name(words.endpoint, &names) else { return nil }
            endpoint = name
        }
        guard let method = self.rest.text(), let path = self.rest.text() else { return nil }
        let requestID = words.hasRequestID ? self.rest.text() : nil
        let traceID = words.hasTraceID ? self.rest.text() : nil
        return TrailEvent.Request(
            method: method,
            path: path,
            endpoint: endpoint,
            requestID: requestID,
            traceID: traceID
        )
    }

    private mutating func pop(_ names: inout RingNames) -> TrailEvent.Pop? {
        guard let words = PopWords(self.record.words), let site = self.name(words.site, &names) else { return nil }
        return TrailEvent.Pop(
            remaining: words.remaining,
            outcome: words.outcome,
            error: words.hasError ? self.rest.text() : nil,
            durationNanoseconds: words.duration,
            site: site
        )
    }

    private mutating func named(_ words: NamedWords, _ names: inout RingNames) -> TrailEvent.Body? {
        switch self.record.kind {
        case EventKind.teardown.code: return self.teardown(words, &names)
        case EventKind.gSet.code:
            guard let key = self.name(words.name, &names), let site = self.name(words.site, &names) else { return nil }
            return self.value(tag: UInt8(truncatingIfNeeded: words.small), words.number)
                .map { .gSet(key: key, value: $0, site: site) }
        case EventKind.gSnapshot.code: return self.snapshot(words, &names)
        case EventKind.recycle.code:
            return .recycle(
                TrailEvent.Recycle(
                    before: words.number == 0 ? nil : words.number,
                    after: self.record.epoch,
                    variablesDropped: Int(words.small)
                )
            )
        case EventKind.signalFailed.code, EventKind.error.code:
            guard let name = self.name(words.name, &names), let error = self.rest.text() else { return nil }
            return self.record.kind == EventKind.error.code
                ? .error(step: name, error: error) : .signalFailed(signal: name, error: error)
        case EventKind.requestInput.code: return self.rest.text().map { .requestInput(json: $0) }
        case EventKind.responseOutput.code: return self.rest.text().map { .responseOutput(json: $0) }
        case EventKind.drawn.code:
            guard let name = self.name(words.name, &names), let type = self.rest.text() else { return nil }
            return self.value(tag: UInt8(truncatingIfNeeded: words.small), words.number)
                .map { .drawn(name: name, type: type, value: $0) }
        case EventKind.gDelete.code, EventKind.handoff.code, EventKind.mark.code:
            guard let name = self.name(words.name, &names), let site = self.name(words.site, &names) else { return nil }
            return switch self.record.kind {
            case EventKind.gDelete.code: .gDelete(key: name, site: site)
            case EventKind.mark.code: .mark(name: name, site: site)
            default: .handoff(name: name, site: site)
            }
        default: return self.problem(words, &names)
        }
    }

    private mutating func teardown(_ words: NamedWords, _ names: inout RingNames) -> TrailEvent.Body? {
        guard let hook = self.name(words.name, &names), let site = self.name(words.site, &names) else { return nil }
        let hasError = words.small & NamedWords.hasText != 0
        return .teardown(
            TrailEvent.Teardown(
                hook: hook,
                position: Int(words.small & ~NamedWords.hasText),
                durationNanoseconds: words.number,
                error: hasError ? self.rest.text() : nil,
                site: site
            )
        )
    }

    private mutating func value(tag: UInt8, _ number: UInt64) -> RecordedValue? {
        RecordedValue(tag: tag, number: number) { self.rest.text() }
    }

    private mutating func snapshot(_ words: NamedWords, _ names: inout RingNames) -> TrailEvent.Body? {
        guard let label = self.rest.text() else { return nil }
        var values: [(name: RecordedText, value: RecordedValue)] = []
        while !self.rest.isAtEnd {
            guard let entry = self.rest.entry(), let name = self.name(entry, &names),
                let tag = self.rest.number(UInt8.self), let number = self.rest.number(UInt64.self),
                let value = self.value(tag: tag, number)
            else { return nil }
            values.append((name, value))
        }
        let total = max(Int(words.small), values.count)
        return .gSnapshot(TrailEvent.Snapshot(label: label, values: values, omitted: total - values.count))
    }

    private mutating func problem(_ words: NamedWords, _ names: inout RingNames) -> TrailEvent.Body? {
        guard let kind = EventKind.problems.first(where: { $0.code == self.record.kind }) else { return nil }
        var owner: RecordedText?
        if words.name != .none {
            guard let site = self.name(words.name, &names) else { return nil }
            owner = site
        }
        guard let site = self.name(words.site, &names), let message = self.rest.text() else { return nil }
        return .problem(
            TrailEvent.Problem(
                kind: kind,
                other: words.small == 0 ? nil : words.small,
                message: message,
                site: site,
                ownerSite: owner,
                ageNanoseconds: words.number == 0 ? nil : words.number - 1
            )
        )
    }
}
