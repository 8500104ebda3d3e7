// How the rooms of contexts write to the recorder.

public import ContextVariables
internal import ContrailRecorder

extension App {
    /// Records an event of a unit of work. Does nothing without a recorder.
    ///
    /// - Parameter time: When it happened, from ``timeToNote``; now, if it is not given.
    @inline(__always)
    func record(
        _ body: @autoclosure () -> TrailEvent.Body,
        context: TrailEvent.ContextOrdinal?,
        unit: WorkUnit?,
        at time: UInt64? = nil
    ) {
        guard self.isRecording, let recorder = self.recorder else { return }
        recorder.record(
            body(),
            // A run that is out of numbers goes on without.
            context: context == 0 ? nil : context,
            worker: unit.map { TrailEvent.WorkerLabel($0.worker) },
            epoch: unit?.epoch.rawValue,
            thread: ThreadState.currentThreadID,
            at: time ?? MonotonicClock.nanoseconds
        )
    }

    /// Whether anything is recorded.
    @inline(__always)
    var isRecording: Bool {
        // Borrowed: the recorder is a constant of the app, which the caller holds; counting it up and down would cost more
        // than everything else that happens when nothing is recorded.
        guard let recorder = self.recorder.map({ Unmanaged.passUnretained($0) }) else { return false }
        return recorder._withUnsafeGuaranteedRef { $0.isRecording }
    }

    /// The time of something that is recorded if anything is: exact then, and otherwise cheap, for what messages say.
    var timeToNote: UInt64 {
        self.isRecording ? MonotonicClock.nanoseconds : MonotonicClock.recentNanoseconds
    }

    /// The text of an error as it may be stored, or nil. Asks the error for its description; never under a lock.
    func recordedText(of error: (any Error)?) -> String? {
        guard let error, let recorder = self.recorder, recorder.isRecording else { return nil }
        return recorder.redaction.redacted(String(describing: error))
    }

    /// A name of the caller's as it may be stored: free of secrets, at most 128 bytes.
    func recordedName(_ name: String) -> String {
        self.recorder?.redaction.redacted(name, limit: 128) ?? name
    }

    /// Ends the worker's unit of work and begins the next, and records it. For job loops: call it before each job.
    @discardableResult
    public func recycle(_ worker: Worker) -> Worker.Recycling {
        let recycling = worker.recycle()
        self.record(recycling)
        return recycling
    }

    func record(_ recycling: Worker.Recycling) {
        guard let recorder = self.recorder, recorder.isRecording else { return }
        recorder.record(
            .recycle(
                TrailEvent.Recycle(
                    before: recycling.before?.rawValue,
                    after: recycling.after.rawValue,
                    variablesDropped: recycling.variablesDropped
                )
            ),
            context: nil,
            worker: TrailEvent.WorkerLabel(recycling.worker),
            epoch: recycling.after.rawValue,
            thread: ThreadState.currentThreadID
        )
    }
}

extension TrailEvent.WorkerLabel {
    init(_ name: Worker.Name) {
        self.init(kind: name.kind, number: name.number)
    }
}
