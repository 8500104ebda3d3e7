// How the rooms of contexts write to the recorder.

public import ContextVariables
internal import ContrailRecorder

extension App {
    /// Records an event of a unit of work. Does nothing without a recorder.
    ///
    /// - Parameters:
    ///   - unit: The unit as the trail knows it: it need not have been made.
    ///   - time: When it happened, from ``timeToNote``; now, if it is not given.
    ///   - write: Calls one of the recorder's functions; what it computes is computed only when something is recorded.
    @inline(__always)
    func record(
        context: TrailEvent.ContextOrdinal?,
        unit: WorkUnit.Label?,
        at time: UInt64? = nil,
        _ write: (FlightRecorder, RecordHead) -> Void
    ) {
        // The clock is asked only when something is recorded.
        guard self.isRecording else { return }
        self.record(context: context ?? 0, unit: LifetimeUnit(unit), at: time ?? MonotonicClock.nanoseconds, write)
    }

    /// Records an event of a lifetime.
    @inline(__always)
    func record(
        context: TrailEvent.ContextOrdinal,
        unit: LifetimeUnit,
        at time: UInt64,
        _ write: (FlightRecorder, RecordHead) -> Void
    ) {
        guard self.isRecording else { return }
        self.withRecorder { recorder in
            // One call of the closure, so that it is inlined.
            let (head, wide) = recorder.head(context: context, unit: unit, at: time)
            write(recorder, head)
            withExtendedLifetime(wide) {}
        }
    }

    /// A unit of work in the words of the app's recorder; nil when nothing is recorded.
    @inline(__always)
    func recordedUnit(_ label: WorkUnit.Label?) -> RecordedUnit? {
        guard let label, self.isRecording else { return nil }
        return self.withRecorder { recorder in
            recorder.recordedUnit(
                workerKind: label.worker.kind,
                workerNumber: label.worker.number,
                epoch: label.epoch.rawValue
            )
        } ?? nil
    }

    /// The same of a unit in a task outside any worker.
    @inline(__always)
    func recordedUnit(inTask epoch: Epoch?) -> RecordedUnit? {
        guard let epoch, let recordedTasks, self.isRecording else { return nil }
        return recordedTasks.unit(number: epoch.rawValue, epoch: epoch.rawValue)
    }

    /// Records an event of a unit of work, as its twin does.
    @inline(__always)
    func record(
        context: TrailEvent.ContextOrdinal?,
        unit: WorkUnit?,
        at time: UInt64? = nil,
        _ write: (FlightRecorder, RecordHead) -> Void
    ) {
        self.record(context: context, unit: unit?.label, at: time, write)
    }

    /// Records something that should not happen.
    func recordProblem(
        _ finding: @autoclosure () -> FlightRecorder.Finding,
        context: TrailEvent.ContextOrdinal?,
        unit: WorkUnit.Label?
    ) {
        self.record(context: context, unit: unit) { recorder, head in recorder.recordProblem(head, finding()) }
    }

    /// Records something that should not happen, as its twin does.
    func recordProblem(
        _ finding: @autoclosure () -> FlightRecorder.Finding,
        context: TrailEvent.ContextOrdinal?,
        unit: WorkUnit?
    ) {
        self.recordProblem(finding(), context: context, unit: unit?.label)
    }

    /// Whether anything is recorded.
    @inline(__always)
    var isRecording: Bool { self.indicator?.isRecording ?? false }

    /// Lends the recorder, if there is one.
    @discardableResult
    @inline(__always)
    func withRecorder<Result>(_ body: (FlightRecorder) -> Result) -> Result? {
        self.borrowedRecorder?._withUnsafeGuaranteedRef(body)
    }

    /// The recorder, for those who hold the app: it is a constant of it. Counting it up and down would cost more than everything
    /// else that happens when nothing is recorded.
    @inline(__always)
    var borrowedRecorder: Unmanaged<FlightRecorder>? { self.recorder.map { Unmanaged.passUnretained($0) } }

    /// The time of something that is recorded if anything is: exact then, and otherwise cheap, for what messages say.
    var timeToNote: UInt64 {
        self.isRecording ? MonotonicClock.nanoseconds : MonotonicClock.recentNanoseconds
    }

    /// The text of an error as it may be stored, or nil. Asks the error for its description; never under a lock.
    func recordedText(of error: (any Error)?) -> String? {
        guard let error, let recorder = self.recorder, recorder.isRecording else { return nil }
        return recorder.redacted(String(describing: error), limit: 256)
    }

    /// A name of the caller's as it may be stored: free of secrets, at most 128 bytes.
    func recordedName(_ name: String) -> String {
        self.recorder?.redacted(name, limit: 128) ?? name
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
        recorder.withHead(
            context: 0,
            workerKind: recycling.worker.kind,
            workerNumber: recycling.worker.number,
            epoch: recycling.after.rawValue,
            thread: ThreadState.currentThreadID,
            time: MonotonicClock.nanoseconds
        ) { head in
            recorder.recordRecycle(
                head,
                before: recycling.before?.rawValue,
                variablesDropped: recycling.variablesDropped
            )
        }
    }
}

extension FlightRecorder {
    /// The head of a record of a lifetime, as its twins make it.
    @inline(__always)
    fileprivate func head(
        context: TrailEvent.ContextOrdinal,
        unit: LifetimeUnit,
        at time: UInt64
    ) -> (head: RecordHead, wide: WideWorker?) {
        switch unit {
        case .recorded(let unit):
            (RecordHead(context: context, unit: unit, thread: ThreadState.currentThreadID, time: time), nil)
        case .label(let label): self.head(context: context, of: label, at: time)
        case .none: self.head(context: context, of: nil, at: time)
        }
    }

    /// The same of a unit of work that is not in the words of the recorder.
    @inline(never)
    fileprivate func head(
        context: TrailEvent.ContextOrdinal,
        of unit: WorkUnit.Label?,
        at time: UInt64
    ) -> (head: RecordHead, wide: WideWorker?) {
        self.head(
            context: context,
            workerKind: unit?.worker.kind,
            workerNumber: unit?.worker.number ?? 0,
            epoch: unit?.epoch.rawValue ?? 0,
            thread: ThreadState.currentThreadID,
            time: time
        )
    }
}
