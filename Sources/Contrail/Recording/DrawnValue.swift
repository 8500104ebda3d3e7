// Records what is drawn through a context, at the level of a replay.

internal import ContextVariables
internal import ContrailRecorder

extension ContextDrawing {
    /// Notes a value that was drawn, when it is to be recorded. What it was is asked for only then.
    func note(drawn name: String, type: String, _ value: (FlightRecorder) -> RecordedValue) {
        guard let recorder = self.app.recorder, recorder.isRecording else { return }
        switch self as any ContextDrawing {
        case let context as App.RequestContext:
            guard context.level >= .replay else { return }
            self.record(drawn: name, type, value(recorder), context.lifetime.ordinal, context.lifetime.label)
        case let context as AppContext:
            guard context.level >= .replay else { return }
            self.record(drawn: name, type, value(recorder), context.lifetime.ordinal, context.lifetime.label)
        default: break
        }
    }

    private func record(
        drawn name: String,
        _ type: String,
        _ value: RecordedValue,
        _ ordinal: TrailEvent.ContextOrdinal,
        _ unit: WorkUnit.Label?
    ) {
        self.app.record(context: ordinal, unit: unit) { recorder, head in
            recorder.recordDrawn(head, name: recorder.name(name), type: type, value: value)
        }
    }

    /// Notes a value of the user's.
    func note<Value: Sendable>(drawn name: String, _ value: Value) {
        self.note(drawn: name, type: String(reflecting: Value.self)) { recorder in
            // A secret value must not wait in memory for an encoder.
            if recorder.name(name).isSecret { return RecordedValue(value).hidden }
            return recorder.redacted(recorder.keptValue(value), underSecret: false)
        }
    }

    /// Notes that drawing a value threw.
    func note(drawn name: String, failure: any Error) {
        self.note(drawn: name, type: "throws") { _ in
            .described(type: String(reflecting: type(of: failure)), size: nil)
        }
    }
}

extension String {
    /// Sixteen hexadecimal digits: a form of 64 bits that no reader of JSON rounds.
    init(digitsOf bits: UInt64) {
        let digits = String(bits, radix: 16)
        self = String(repeating: "0", count: 16 - digits.count) + digits
    }
}
