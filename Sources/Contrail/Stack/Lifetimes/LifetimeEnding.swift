// The end of one lifetime, in the steps that sync and async callers share.

internal import ContextVariables
internal import ContrailRecorder
internal import HTTPTypes

/// Ends the lifetime of one context: a snapshot of `g`, the hooks, the signal, and the record of the pop.
///
/// Nothing that throws stops anything; the errors are collected in order of execution (`TD-08`). The caller unbinds the
/// context between ``runHooks()`` and ``finish()``.
struct LifetimeEnding {
    /// The context whose lifetime ends.
    enum Subject {
        case app(AppContext)
        case request(App.RequestContext)
    }

    let outcome: Outcome
    let unit: LifetimeUnit
    /// Who made the push.
    let owner: ExecutionID
    let site: Site
    /// What hooks and receivers threw, in order of execution.
    private(set) var errors: [any Error] = []

    /// Holds the context, unless the caller does.
    private let kept: Subject?
    // One of the two contexts, and the app, which is a constant of it, borrowed.
    private let appContext: Unmanaged<AppContext>?
    private let request: Unmanaged<App.RequestContext>?
    private let keptApp: Unmanaged<App>
    private let ordinal: TrailEvent.ContextOrdinal
    /// Whether this pop is the one that tears the lifetime down.
    private let isLast: Bool
    private var position = 0
    /// When the last hook ended, if nothing of the user's was called since; 0 when the clock must be asked.
    private var lastTime: UInt64 = 0

    init(_ subject: Subject, outcome: Outcome, owner: ExecutionID = ExecutionID.current, site: Site) {
        switch subject {
        case .app(let context):
            self.appContext = Unmanaged.passUnretained(context)
            self.request = nil
            self.keptApp = Unmanaged.passUnretained(context.app)
            (self.ordinal, self.unit, self.isLast) = context.lifetime.beginPop()
        case .request(let context):
            self.appContext = nil
            self.request = Unmanaged.passUnretained(context)
            self.keptApp = Unmanaged.passUnretained(context.app)
            (self.ordinal, self.unit, self.isLast) = context.lifetime.beginPop()
        }
        self.kept = subject
        self.outcome = outcome
        self.owner = owner
        self.site = site
    }

    /// The end of a request's lifetime, for a caller that holds the context until the end is finished: counting it costs a tenth of
    /// what the end does.
    init(borrowing request: Unmanaged<App.RequestContext>, outcome: Outcome, owner: ExecutionID, site: Site) {
        self.appContext = nil
        self.request = request
        (self.keptApp, self.ordinal, self.unit, self.isLast) = request._withUnsafeGuaranteedRef { context in
            let (ordinal, unit, isLast) = context.lifetime.beginPop()
            return (Unmanaged.passUnretained(context.app), ordinal, unit, isLast)
        }
        self.kept = nil
        self.outcome = outcome
        self.owner = owner
        self.site = site
    }

    private var app: App { self.keptApp.takeUnretainedValue() }

    /// The unit of work in which the lifetime was pushed.
    var lifetimeUnit: WorkUnit? {
        self.appContext?._withUnsafeGuaranteedRef { $0.lifetime.unit }
            ?? self.request?._withUnsafeGuaranteedRef { $0.lifetime.unit }
    }

    /// Writes `g` down and runs the hooks and the receivers of the tearing-down signal. Async hooks must not be there. Does
    /// nothing unless this is the last pop.
    mutating func runHooks() {
        guard self.isLast else { return }
        self.snapshot()
        // The app keeps what was registered, and is held by the subject.
        let table = self.keptApp._withUnsafeGuaranteedRef { $0.borrowedHandlers }
        table?._withUnsafeGuaranteedRef { self.callHooks($0.handlers) }
        self.sendTearingDown()
        table?._withUnsafeGuaranteedRef { self.closeRequest($0.handlers) }
    }

    @inline(__always)
    private mutating func callHooks(_ handlers: Handlers) {
        var time = self.keptApp._withUnsafeGuaranteedRef { $0.timeToNote }
        self.appContext?._withUnsafeGuaranteedRef { context in
            for index in handlers.appTeardown.indices {
                // The table holds its hooks, and the app the table.
                let hook = Unmanaged.passUnretained(handlers.appTeardown[index])
                time = hook._withUnsafeGuaranteedRef { self.call($0, context, since: time) }
            }
        }
        self.request?._withUnsafeGuaranteedRef { context in
            for index in handlers.requestTeardown.indices {
                let hook = Unmanaged.passUnretained(handlers.requestTeardown[index])
                time = hook._withUnsafeGuaranteedRef { self.call($0, context, since: time) }
            }
        }
    }

    /// Writes `g` down and runs the hooks, async ones shielded from cancellation, and the receivers of the signal. Does
    /// nothing unless this is the last pop.
    nonisolated(nonsending) mutating func runHooks() async {
        guard self.isLast else { return }
        self.snapshot()
        let table = self.app.handlers
        if let table {
            var time = self.app.timeToNote
            if let context = self.appContext?.takeUnretainedValue() {
                for hook in table.handlers.appTeardown { time = await self.callShielded(hook, context, since: time) }
            } else if let context = self.request?.takeUnretainedValue() {
                for hook in table.handlers.requestTeardown {
                    time = await self.callShielded(hook, context, since: time)
                }
            }
        }
        self.sendTearingDown()
        if let table { self.closeRequest(table.handlers) }
    }

    /// Counts the pop, records it, and sends `appcontext_popped`. The context is no longer bound. Returns all errors.
    mutating func finish() -> [any Error] {
        let time = self.endTime()
        self.appContext?._withUnsafeGuaranteedRef {
            $0.concludePop(self.outcome, of: self.owner, at: time, site: self.site, &self.errors)
        }
        self.request?._withUnsafeGuaranteedRef {
            $0.concludePop(self.outcome, of: self.owner, at: time, site: self.site)
        }
        return self.errors
    }

    /// Does the same, and adds the errors to others. Returns when the lifetime ended.
    mutating func finish(_ errors: inout [any Error]) -> UInt64 {
        let own = self.finish()
        if !own.isEmpty { errors += own }
        return self.lastTime
    }

    /// When the lifetime ends: with its last hook, if that was just now.
    private mutating func endTime() -> UInt64 {
        if self.lastTime == 0 { self.lastTime = self.keptApp._withUnsafeGuaranteedRef { $0.timeToNote } }
        return self.lastTime
    }

    /// Adds the errors so far to others, for a context that is concluded by itself.
    mutating func moveErrors(to errors: inout [any Error]) {
        if !self.errors.isEmpty { errors += self.errors }
        self.errors = []
    }

    private func snapshot() {
        guard self.keptApp._withUnsafeGuaranteedRef({ $0.isRecording }) else { return }
        let namespace =
            self.appContext.map { $0._withUnsafeGuaranteedRef { $0.touchedNamespace } }
            ?? self.request?._withUnsafeGuaranteedRef { $0.touchedNamespace }
        namespace?.recordEnding(self.outcome, context: self.ordinal, unit: self.unit)
    }

    /// Calls a hook and records it. One begins when the one before it has ended. Returns when this one did.
    private mutating func call<Context>(
        _ hook: TeardownHook<Context>,
        _ context: Context,
        since start: UInt64
    ) -> UInt64 {
        guard !hook.isAsync else { return start }
        var failure: (any Error)?
        do { try hook.body(context, self.outcome) } catch { failure = error }
        return self.note(hook, start, failure)
    }

    private nonisolated(nonsending) mutating func callShielded<Context: Sendable>(
        _ hook: TeardownHook<Context>,
        _ context: Context,
        since start: UInt64
    ) async -> UInt64 {
        guard let body = hook.asyncBody else { return self.call(hook, context, since: start) }
        let outcome = self.outcome
        let visible = ContextLayers.here?.visible ?? .nothing
        let branch = Scope.current?.branch
        let unit = Scope.current?.unit ?? self.lifetimeUnit
        // An unstructured task is not cancelled with the one that waits for it. Being another task it would see the base of
        // the scope it inherits, and not what was pushed; so it gets a scope of its own that shows what is current here.
        let result = await Task {
            let caller = ExecutionID.current
            let layers = ContextLayers(owner: caller, base: visible)
            defer { layers.close() }
            try await Scope(owner: caller, branch: branch, unit: unit, layers: layers).run {
                try await body(context, outcome)
            }
        }.result
        var failure: (any Error)?
        if case .failure(let error) = result { failure = error }
        return self.note(hook, start, failure)
    }

    private mutating func note<Context>(_ hook: TeardownHook<Context>, _ start: UInt64, _ failure: (any Error)?)
        -> UInt64
    {
        self.position += 1
        if let failure { self.errors.append(failure) }
        let position = self.position
        let time = self.keptApp._withUnsafeGuaranteedRef { app in
            let time = app.timeToNote
            guard let recorded = hook.recorded else { return time }
            app.record(context: self.ordinal, unit: self.unit, at: time) { recorder, head in
                recorder.recordTeardown(
                    head,
                    recorded,
                    hook: hook.name,
                    position: position,
                    duration: time > start ? time - start : 0,
                    error: app.recordedText(of: failure),
                    site: hook.site
                )
            }
            return time
        }
        self.lastTime = time
        return time
    }

    private mutating func sendTearingDown() {
        let isRequest = self.request != nil
        // The app holds its signals.
        let signal = self.keptApp._withUnsafeGuaranteedRef { app in
            Unmanaged.passUnretained(isRequest ? app.signals.requestTearingDown : app.signals.appContextTearingDown)
        }
        guard signal._withUnsafeGuaranteedRef({ $0.hasReceivers }) else { return }
        self.send(signal.takeUnretainedValue(), self.outcome)
    }

    /// Closes what the request itself holds.
    private mutating func closeRequest(_ handlers: Handlers) {
        guard !handlers.closing.isEmpty, let context = self.request?.takeUnretainedValue() else { return }
        for close in handlers.closing {
            guard case .sync(let body) = close.body else { continue }
            self.lastTime = 0
            do {
                try body(context)
            } catch {
                self.errors.append(error)
                self.app.recordFailure("close \(close.name)", error, context: context)
            }
        }
    }

    /// Sends a signal and collects what a receiver threw.
    private mutating func send<Payload>(_ signal: Signal<Payload>, _ payload: Payload) {
        self.lastTime = 0
        do {
            try signal.send(from: self.app, payload)
        } catch {
            self.errors.append(error)
            self.app.recordSignalFailure(signal.name, error, context: self.ordinal, unit: self.unit)
        }
    }
}

extension AppContext {
    /// Counts a pop at which nothing of the user's is called while the context is current, and writes `g` down if it is the last.
    /// Returns the unit that was over with it, which is the caller's to end: values die with it.
    ///
    /// - Parameters:
    ///   - time: When that is; the clock is asked when it is nil.
    ///   - endsUnit: Whether the unit that the lifetime reserved is over with it.
    ///   - isLastHere: Whether the thread is to remember the context as the last that ended there.
    func popQuietly(
        _ outcome: Outcome,
        of owner: ExecutionID,
        at time: UInt64?,
        endsUnit: Bool,
        isLastHere: Bool,
        site: Site,
        _ errors: inout [any Error]
    ) -> WorkUnit? {
        let isRecording = self.app.isRecording
        if isRecording, let namespace = self.touchedNamespace {
            let (ordinal, unit, isLast) = self.lifetime.beginPop()
            if isLast { namespace.recordEnding(outcome, context: ordinal, unit: unit) }
            let endedUnit = endsUnit ? self.lifetime.endReservedUnit() : nil
            self.concludePop(outcome, of: owner, at: self.app.timeToNote, isLastHere: isLastHere, site: site, &errors)
            return endedUnit
        }
        let time = time ?? self.app.timeToNote
        if let (pop, pushSite) = self.lifetime.endPlainly(begun: 0, at: time, isRecording: isRecording) {
            self.conclude(pop, outcome, at: time, endedFrom: isLastHere ? pushSite : nil, site: site, &errors)
            return nil
        }
        let lifetime = self.lifetime.popAtOnce(of: owner, at: time, isRecording: isRecording, endsUnit: endsUnit)
        let endedFrom = isLastHere ? lifetime.endedFrom : nil
        self.conclude(lifetime.record, outcome, at: time, endedFrom: endedFrom, site: site, &errors)
        return lifetime.endedUnit
    }

    /// Counts a pop that was begun, records it, and sends `appcontext_popped`. Adds what receivers threw.
    func concludePop(
        _ outcome: Outcome,
        of owner: ExecutionID,
        at time: UInt64,
        isLastHere: Bool = true,
        site: Site,
        _ errors: inout [any Error]
    ) {
        let lifetime = self.lifetime.pop(of: owner, at: time, isRecording: self.app.isRecording)
        let endedFrom = isLastHere ? lifetime.endedFrom : nil
        self.conclude(lifetime.record, outcome, at: time, endedFrom: endedFrom, site: site, &errors)
    }

    /// - Parameter endedFrom: Where the lifetime was pushed, if it has ended and the thread is to remember that.
    @inline(__always)
    private func conclude(
        _ pop: LifetimeState.PopRecord,
        _ outcome: Outcome,
        at time: UInt64,
        endedFrom: Site?,
        site: Site,
        _ errors: inout [any Error]
    ) {
        if let endedFrom {
            LastContext.note("an app context", of: self.app, path: nil, pushedAt: endedFrom, endedAt: time)
        }
        self.app.record(pop, isRequest: false, outcome, at: time, site)
        guard self.app.signals.appContextPopped.hasReceivers else { return }
        do {
            try Signals.appContextPopped.send(from: self.app, ())
        } catch {
            errors.append(error)
            self.app.recordSignalFailure(
                Signals.appContextPopped.name,
                error,
                context: pop.ordinal,
                unit: pop.unit
            )
        }
    }
}

extension App.RequestContext {
    /// Counts a pop that was begun, and records it.
    fileprivate func concludePop(_ outcome: Outcome, of owner: ExecutionID, at time: UInt64, site: Site) {
        let isRecording = self.app.isRecording
        if let (pop, pushSite) = self.lifetime.endPlainly(begun: 1, at: time, isRecording: isRecording) {
            return self.conclude(pop, outcome, at: time, endedFrom: pushSite, site: site)
        }
        let lifetime = self.lifetime.pop(of: owner, at: time, isRecording: isRecording)
        self.conclude(lifetime.record, outcome, at: time, endedFrom: lifetime.endedFrom, site: site)
    }

    /// - Parameter endedFrom: Where the lifetime was pushed, if it has ended.
    @inline(__always)
    private func conclude(
        _ pop: LifetimeState.PopRecord,
        _ outcome: Outcome,
        at time: UInt64,
        endedFrom: Site?,
        site: Site
    ) {
        if let endedFrom {
            let path = self.state.target
            LastContext.note("a request context", of: self.app, path: path, pushedAt: endedFrom, endedAt: time)
        }
        self.app.record(pop, isRequest: true, outcome, at: time, site)
    }
}

extension NamespaceStorage {
    /// Records all values at the end of a lifetime, unless nothing has changed since that was done.
    fileprivate func recordEnding(_ outcome: Outcome, context: TrailEvent.ContextOrdinal?, unit: LifetimeUnit) {
        let label = if case .failed = outcome { "failure" } else { "teardown" }
        self.recordSnapshot(label: label, context: context, unit: unit, onlyIfChanged: true)
    }
}

extension App {
    /// Records that a step of a request failed, when nothing else shows it.
    func recordFailure(_ step: String, _ error: any Error, context: App.RequestContext) {
        guard let text = self.recordedText(of: error) else { return }
        let lifetime = context.lifetime.current
        self.record(context: lifetime.ordinal, unit: context.lifetime.label) { recorder, head in
            recorder.recordFailure(head, step: self.recordedName(step), error: text)
        }
    }

    /// Records a pop.
    @inline(__always)
    func record(_ pop: LifetimeState.PopRecord, isRequest: Bool, _ outcome: Outcome, at time: UInt64, _ site: Site) {
        self.record(context: pop.ordinal, unit: pop.unit, at: time) { recorder, head in
            recorder.recordPop(
                head,
                isRequest: isRequest,
                remaining: pop.remaining,
                outcome: outcome.recorded,
                error: self.recordedText(of: outcome.error),
                duration: time &- pop.beganAt,
                site: site
            )
        }
    }

    /// Records that a receiver threw.
    func recordSignalFailure(
        _ name: String,
        _ error: any Error,
        context: TrailEvent.ContextOrdinal,
        unit: LifetimeUnit
    ) {
        guard let text = self.recordedText(of: error) else { return }
        self.record(context: context, unit: unit, at: MonotonicClock.nanoseconds) { recorder, head in
            recorder.recordSignalFailure(head, signal: name, error: text)
        }
    }
}
