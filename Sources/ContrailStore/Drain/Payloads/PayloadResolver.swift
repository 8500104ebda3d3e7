// Puts what values are in the place of the tickets that their events carry.

internal import ContrailRecorder

/// Encodes the values that the events of a batch name. Confined to the drain's thread.
struct PayloadResolver: Sendable {
    /// How many losses of one batch are told one by one; the others are told together.
    private static let mostLosses = 64

    private let recorder: FlightRecorder
    private let thread: PayloadThread

    init(_ recorder: FlightRecorder) {
        self.recorder = recorder
        self.thread = PayloadThread(redaction: recorder.redaction)
    }

    /// A value that waits, and where.
    private struct Place {
        let event: Int
        let name: RecordedText
        let type: String
        let outcome: Outcome

        enum Outcome {
            case job(Int)
            case done(PayloadThread.Outcome)
        }
    }

    /// The events with their values, and an event for each value that is lost.
    func resolve(_ events: [TrailEvent]) -> [TrailEvent] {
        guard self.recorder.payloads.isUsed else { return events }
        var events = events
        var places: [Place] = []
        var jobs: [PayloadThread.Job] = []
        for (index, event) in events.enumerated() {
            Self.forEachWaiting(event.body) { name, type, ticket in
                places.append(self.place(index, name, type, ticket, &jobs))
            }
        }
        guard !places.isEmpty else { return events }
        let outcomes = self.thread.encode(jobs)
        var values: [Int: [RecordedValue?]] = [:]
        var losses: [(lost: TrailEvent.LostPayload, context: TrailEvent.ContextOrdinal?)] = []
        for place in places {
            let outcome =
                switch place.outcome {
                case .job(let job): outcomes[job]
                case .done(let outcome): outcome
                }
            switch outcome {
            case .success(let payload): values[place.event, default: []].append(.encoded(payload))
            case .failure(let reason):
                values[place.event, default: []].append(nil)
                let event = events[place.event]
                let lost = TrailEvent.LostPayload(
                    name: place.name,
                    seq: event.seq,
                    type: place.type,
                    reason: reason
                )
                losses.append((lost, event.context))
            }
        }
        for (index, values) in values { events[index] = Self.putting(values, into: events[index]) }
        return events + self.report(losses)
    }

    private func place(
        _ index: Int,
        _ name: RecordedText,
        _ type: String,
        _ ticket: UInt32,
        _ jobs: inout [PayloadThread.Job]
    ) -> Place {
        let outcome: Place.Outcome
        switch self.recorder.payloads.take(ticket) {
        case .value(let value, let type):
            jobs.append(PayloadThread.Job(value: value, type: type))
            outcome = .job(jobs.count - 1)
        case .encoded(let payload): outcome = .done(.success(payload))
        case .lost(let reason): outcome = .done(.failure(reason))
        case nil: outcome = .done(.failure(.gone))
        }
        return Place(event: index, name: name, type: type, outcome: outcome)
    }

    private static func forEachWaiting(_ body: TrailEvent.Body, _ call: (RecordedText, String, UInt32) -> Void) {
        switch body {
        case .gSet(let name, .waiting(let type, _, let ticket), _),
            .drawn(let name, _, .waiting(let type, _, let ticket)):
            call(name, type, ticket)
        case .gSnapshot(let snapshot):
            for case (let name, .waiting(let type, _, let ticket)) in snapshot.values { call(name, type, ticket) }
        default: break
        }
    }

    /// The event with values in the places of those that wait, in their order. What is nil becomes a description.
    private static func putting(_ values: [RecordedValue?], into event: TrailEvent) -> TrailEvent {
        var rest = values[...]
        func next(_ value: RecordedValue) -> RecordedValue {
            guard case .waiting(let type, let size, _) = value else { return value }
            return rest.popFirst().flatMap { $0 } ?? .described(type: type, size: size)
        }
        switch event.body {
        case .gSet(let key, let value, let site): return event.saying(.gSet(key: key, value: next(value), site: site))
        case .drawn(let name, let type, let value):
            return event.saying(.drawn(name: name, type: type, value: next(value)))
        case .gSnapshot(let snapshot):
            let values = snapshot.values.map { (name: $0.name, value: next($0.value)) }
            let new = TrailEvent.Snapshot(label: snapshot.label, values: values, omitted: snapshot.omitted)
            return event.saying(.gSnapshot(new))
        default: return event
        }
    }

    private func report(
        _ losses: [(lost: TrailEvent.LostPayload, context: TrailEvent.ContextOrdinal?)]
    ) -> [TrailEvent] {
        var events = losses.prefix(Self.mostLosses).map { loss in
            self.recorder.makeDrainEvent(.payloadLost(loss.lost), context: loss.context)
        }
        let rest = losses.dropFirst(Self.mostLosses)
        if let first = rest.first {
            let lost = TrailEvent.LostPayload(
                name: first.lost.name,
                seq: first.lost.seq,
                type: first.lost.type,
                reason: first.lost.reason,
                count: rest.count
            )
            events.append(self.recorder.makeDrainEvent(.payloadLost(lost), context: first.context))
        }
        return events
    }
}
