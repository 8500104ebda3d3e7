// The beginning of a lifetime, or one more push of a running one.

internal import ContextVariables
internal import ContrailRecorder

extension AppContext {
    /// Counts a push and records it.
    ///
    /// - Parameters:
    ///   - parent: The context it is pushed under, as ``App/ordinal(of:)`` gives it.
    ///   - request: The request that brings the context along.
    func beginPush(
        site: Site,
        parent: TrailEvent.ContextOrdinal?,
        unit: WorkUnit?,
        by owner: ExecutionID = ExecutionID.current,
        for request: App.RequestContext? = nil
    ) {
        let time = self.app.timeToNote
        let numbering = self.app.recordsSelectively ? self.app.numbering(under: parent, for: request) : nil
        let label = unit?.label
        let recorded = self.app.recordedUnit(label)
        let lifetime = self.lifetime.push(
            by: owner,
            at: time,
            site: site,
            in: UnitPlace(unit),
            recorded: recorded,
            recorder: self.app.borrowedRecorder,
            numbering: numbering
        )
        if lifetime.depth == 1 {
            self.touchedNamespace?.beginLifetime(lifetime.ordinal, after: lifetime.previousEnd)
        }
        self.recordPush(
            depth: lifetime.depth,
            ordinal: lifetime.ordinal,
            parent: parent,
            unit: LifetimeUnit(recorded, or: label),
            at: time,
            site: site
        )
    }

    /// Records the push that the context was made with.
    @inline(__always)
    func recordFirstPush(
        _ ordinal: TrailEvent.ContextOrdinal,
        under parent: TrailEvent.ContextOrdinal? = nil,
        in unit: LifetimeUnit,
        at time: UInt64,
        site: Site
    ) {
        self.recordPush(depth: 1, ordinal: ordinal, parent: parent, unit: unit, at: time, site: site)
    }

    @inline(__always)
    func recordPush(
        depth: Int,
        ordinal: TrailEvent.ContextOrdinal,
        parent: TrailEvent.ContextOrdinal?,
        unit: LifetimeUnit,
        at time: UInt64,
        site: Site
    ) {
        self.app.record(context: ordinal, unit: unit, at: time) { recorder, head in
            recorder.recordAppPush(
                head,
                depth: depth,
                origin: self.origin,
                app: self.app.recordedApp,
                named: self.app.shownName,
                parent: parent,
                site: site
            )
        }
    }

    /// Sends `appcontext_pushed`, and records a receiver that throws.
    func announcePush(unit: WorkUnit.Label?) throws {
        do {
            try Signals.appContextPushed.send(from: self.app, ())
        } catch {
            self.app.recordSignalFailure(
                Signals.appContextPushed.name,
                error,
                context: self.lifetime.ordinal,
                unit: LifetimeUnit(unit)
            )
            throw error
        }
    }

    /// Undoes a push whose announcement failed: nothing is called, the pop is recorded with the error.
    func undoPush(_ error: any Error, by owner: ExecutionID = ExecutionID.current, site: Site) {
        let time = self.app.timeToNote
        let lifetime = self.lifetime.undoPush(of: owner, at: time, isRecording: self.app.isRecording)
        self.app.record(lifetime.record, isRequest: false, .failed(error), at: time, site)
    }
}

extension App.RequestContext {
    /// Counts a push on an app context and records it.
    ///
    /// - Parameters:
    ///   - time: When that is; the clock is asked when it is nil.
    ///   - ownsApp: Whether the app context was pushed for it, which has decided how much is recorded of both.
    func beginPush(
        on appContext: AppContext,
        at time: UInt64? = nil,
        site: Site,
        in place: consuming UnitPlace,
        by owner: ExecutionID = ExecutionID.current,
        ownsApp: Bool
    ) {
        self.setAppContext(appContext)
        let time = time ?? self.app.timeToNote
        // The number of a unit in a task says all of it.
        let taskEpoch = place.taskEpoch
        let label = taskEpoch == nil && self.app.isRecording ? place.label : nil
        let recorded = taskEpoch == nil ? self.app.recordedUnit(label) : self.app.recordedUnit(inTask: taskEpoch)
        let numbering = self.app.recordsSelectively ? self.numbering(on: appContext, ownsApp: ownsApp) : nil
        let lifetime = self.lifetime.push(
            by: owner,
            at: time,
            site: site,
            in: consume place,
            recorded: recorded,
            recorder: self.app.borrowedRecorder,
            numbering: numbering
        )
        let unit = LifetimeUnit(recorded, or: taskEpoch.map { WorkUnit.Label(inTask: $0) } ?? label)
        self.recordPush(
            depth: lifetime.depth,
            ordinal: lifetime.ordinal,
            on: appContext,
            unit: unit,
            at: time,
            site: site
        )
    }

    /// Records the push that the context was made with.
    @inline(__always)
    func recordFirstPush(
        _ ordinal: TrailEvent.ContextOrdinal,
        on appContext: AppContext,
        in unit: LifetimeUnit,
        at time: UInt64,
        site: Site
    ) {
        self.recordPush(depth: 1, ordinal: ordinal, on: appContext, unit: unit, at: time, site: site)
    }

    @inline(__always)
    private func recordPush(
        depth: Int,
        ordinal: TrailEvent.ContextOrdinal,
        on appContext: AppContext,
        unit: LifetimeUnit,
        at time: UInt64,
        site: Site
    ) {
        self.app.record(context: ordinal, unit: unit, at: time) { recorder, head in
            recorder.recordRequestPush(
                head,
                depth: depth,
                origin: self.origin,
                app: self.app.recordedApp,
                named: self.app.shownName,
                parent: self.app.ordinal(of: appContext),
                site: site,
                request: self.recordedRequest
            )
        }
        if depth == 1, self.recordsAtPush { self.recordAtPush(on: appContext) }
    }

    /// Undoes a push whose session or route failed: nothing is called, the pop is recorded with the error.
    func undoPush(_ error: any Error, by owner: ExecutionID = ExecutionID.current, site: Site) {
        let time = self.app.timeToNote
        let lifetime = self.lifetime.undoPush(of: owner, at: time, isRecording: self.app.isRecording)
        self.app.record(lifetime.record, isRequest: true, .failed(error), at: time, site)
    }
}

extension App {
    /// The number for a lifetime that begins now; 0 without a recorder.
    @inline(__always)
    var nextOrdinal: TrailEvent.ContextOrdinal { self.nextOrdinal(for: nil) }

    /// The number for the lifetime of an app context that a request brings along.
    @inline(__always)
    func nextOrdinal(for request: RequestContext?) -> TrailEvent.ContextOrdinal {
        self.withRecorder { recorder in
            self.recordsSelectively ? self.selectiveOrdinal(recorder, for: request) : recorder.nextOrdinal()
        } ?? 0
    }

    /// The number of a running lifetime as this app's trail knows it: another recorder numbers by itself.
    func ordinal(of context: AppContext?) -> TrailEvent.ContextOrdinal? {
        guard let context, context.app === self || context.app.recorder === self.recorder else { return nil }
        let ordinal = context.lifetime.ordinal
        return ordinal == 0 ? nil : ordinal
    }
}
