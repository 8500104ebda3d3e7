// A context entered for the length of a closure, of a response's delivery, or of a borrower's work.

package import ContextVariables
package import ContrailRecorder
internal import HTTPTypes
internal import Synchronization

/// Contexts that are entered once and left once, in order: enter, run (any number of times), finish.
///
/// It unwinds: imperative pushes left above the base are torn down top first, as leaks, then the base pops. Finishing twice
/// does nothing. Enter on the task or thread that owns the scope; finish anywhere. One object is all of it: what is bound,
/// what is visible, and how it ends.
///
/// @unchecked Sendable: what it derives from is so, which the compiler cannot look through. All fields are constants of Sendable types,
/// two of them references that are not counted because the base, another constant, holds what they name, or atomics.
package final class ContextScope: ContextLayers, @unchecked Sendable {
    // Unmanaged: the app is a constant of the app context, which is in the base.
    let keptApp: Unmanaged<App>
    // Unmanaged: the base holds it. Asking the base each time would count it.
    let borrowedRequest: Unmanaged<App.RequestContext>?
    let ownsApp: Bool
    let isRequest: Bool
    /// Whether the app context was made and counted and recorded as pushed when the scope was made.
    let isCounted: Bool
    /// Whether the request context was, too.
    let isRequestCounted: Bool
    /// Whether nothing was around the scope, and its app context reserved a unit that nobody may ask for.
    let isAlone: Bool
    /// The number of that unit, if it has one yet.
    let reservedEpoch: Epoch?
    /// When that app context was pushed.
    let openedAt: UInt64
    /// Whether the unit ends with the scope.
    let ownsUnit: Bool
    let parent: TrailEvent.ContextOrdinal?
    let site: Site

    let isFinished = Atomic<Bool>(false)
    let requestIsUndone = Atomic<Bool>(false)

    /// The app context of the scope. The base of such layers has one, whatever initialiser made them.
    @inline(__always)
    package var appContext: AppContext { self.base.app.unsafelyUnwrapped }

    /// The same, borrowed: the base holds it for as long as the scope lives.
    @inline(__always)
    var borrowedContext: Unmanaged<AppContext> { Unmanaged.passUnretained(self.base.app.unsafelyUnwrapped) }

    /// The request context of the scope, if it is for one.
    @inline(__always)
    package var request: App.RequestContext? { self.isRequest ? self.base.request : nil }

    // MARK: - Making

    /// A scope in which `context` is the current app context.
    package convenience init(_ context: AppContext, worker: Worker?, site: Site) {
        let caller = ExecutionID.current
        let outer = Scope.current(of: caller)
        let claim = UnitClaim.forApp(worker: worker, in: outer, caller: caller)
        self.init(context, isCounted: false, owner: caller, in: outer, claim: claim, site: site)
    }

    /// A scope with a new app context of `app` as the current one, which is counted and recorded as pushed with it.
    ///
    /// Nobody else has seen that context yet, so nothing of this needs a lock; and where nothing is around, no unit is made before
    /// somebody asks for it.
    static func open(_ app: App, worker: Worker?, site: Site) -> ContextScope {
        let caller = ExecutionID.current
        if worker == nil, Scope.isNothingAround(caller) {
            return caller.isTask ? self.open(app, inTask: caller, site) : self.open(app, onThread: caller, site)
        }
        let outer = Scope.current(of: caller)
        let claim = UnitClaim.forApp(worker: worker, in: outer, caller: caller)
        let (ordinal, time) = (app.nextOrdinal, app.timeToNote)
        let label = claim.unit.label
        let recorded = app.recordedUnit(label)
        let scope = ContextScope(
            AppContext(
                app,
                by: caller,
                at: time,
                site: site,
                in: .given(claim.unit),
                recorded: recorded,
                ordinal: ordinal
            ),
            isCounted: true,
            owner: caller,
            in: outer,
            claim: claim,
            site: site
        )
        scope.appContext.recordFirstPush(
            ordinal,
            under: scope.parent,
            in: LifetimeUnit(recorded, or: label),
            at: time,
            site: site
        )
        return scope
    }

    @inline(__always)
    private static func open(_ app: App, inTask caller: ExecutionID, _ site: Site) -> ContextScope {
        let (epoch, time) = (self.reservedEpoch(of: app), app.timeToNote)
        let context = self.context(of: app, origin: .manual, inTask: caller, epoch, at: time, site)
        return ContextScope(alone: consume context, epoch: epoch, at: time, owner: caller, worker: nil, site: site)
    }

    @inline(__always)
    private static func open(_ app: App, onThread caller: ExecutionID, _ site: Site) -> ContextScope {
        let worker = ThreadState.currentWorker
        let epoch = worker.currentEpoch
        let (ordinal, time) = (app.nextOrdinal, app.timeToNote)
        // The scope holds the worker for as long as the lifetime may ask for it.
        let place = UnitPlace.hosted(Unmanaged.passUnretained(worker), epoch)
        let label = WorkUnit.Label(epoch: epoch, worker: worker.name)
        let recorded = app.recordedUnit(label)
        let context = AppContext(app, by: caller, at: time, site: site, in: place, recorded: recorded, ordinal: ordinal)
        context.recordFirstPush(ordinal, in: LifetimeUnit(recorded, or: label), at: time, site: site)
        return ContextScope(
            alone: consume context,
            epoch: nil,
            at: time,
            owner: caller,
            worker: consume worker,
            site: site
        )
    }

    @inline(__always)
    private init(
        alone context: consuming AppContext,
        request: App.RequestContext? = nil,
        isRequestCounted: Bool = false,
        epoch: Epoch?,
        at time: UInt64,
        owner: ExecutionID,
        worker: consuming Worker?,
        site: Site
    ) {
        self.keptApp = Unmanaged.passUnretained(context.app)
        self.ownsApp = true
        self.isRequest = request != nil
        self.borrowedRequest = request.map { Unmanaged.passUnretained($0) }
        self.isCounted = true
        self.isRequestCounted = isRequestCounted
        self.isAlone = worker == nil
        self.reservedEpoch = epoch
        self.openedAt = time
        self.ownsUnit = worker == nil
        self.parent = nil
        self.site = site
        super.init(owner: owner, app: consume context, request: request, following: consume worker)
    }

    private init(
        _ context: AppContext,
        isCounted: Bool,
        owner: ExecutionID,
        in outer: Scope?,
        claim: UnitClaim,
        site: Site
    ) {
        let inherited = outer.flatMap { ContextLayers.inheritable(from: $0) }
        let around = inherited?.visible
        self.keptApp = Unmanaged.passUnretained(context.app)
        self.ownsApp = true
        self.isRequest = false
        self.borrowedRequest = nil
        self.isCounted = isCounted
        self.isRequestCounted = false
        self.isAlone = false
        self.reservedEpoch = nil
        self.openedAt = 0
        self.ownsUnit = claim.isOwned
        self.parent = around?.app === context ? nil : context.app.ordinal(of: around?.app)
        self.site = site
        super.init(
            owner: owner,
            base: Visible(app: context, request: around?.request),
            in: inherited,
            outerRequest: around?.request,
            takesApp: false,
            bindsRequest: true,
            branch: Scope.branch(for: owner, nestedIn: outer),
            claim: claim
        )
    }

    /// A scope in which `request` is the current request context, on the current app context of its app or on one of its own.
    ///
    /// Where nothing is around, that app context is pushed with it, and no unit is made before somebody asks for it.
    package static func open(_ request: App.RequestContext, worker: Worker?, site: Site) -> ContextScope {
        let caller = ExecutionID.current
        guard worker == nil, caller.isTask, Scope.isNothingAround(caller) else {
            return ContextScope(request, of: caller, worker: worker, site: site)
        }
        let (epoch, time) = (self.reservedEpoch(of: request.app), request.app.timeToNote)
        let context = self.context(
            of: request.app,
            origin: request.origin,
            inTask: caller,
            epoch,
            at: time,
            for: request,
            site
        )
        return ContextScope(
            alone: consume context,
            request: request,
            epoch: epoch,
            at: time,
            owner: caller,
            worker: nil,
            site: site
        )
    }

    /// A scope with a new request context of `app` for a request, on the current app context of the app or on one of its own.
    ///
    /// Where nothing is around, and no receiver is to be told of the app context's push in between, both contexts are counted and
    /// recorded as pushed with the scope: nobody else has seen them yet.
    static func open(_ app: App, _ request: HTTPRequest, worker: Worker?, site: Site) -> ContextScope {
        let caller = ExecutionID.current
        guard worker == nil, caller.isTask, Scope.isNothingAround(caller), !app.recordsSelectively else {
            return self.open(App.RequestContext(app, request), worker: worker, site: site)
        }
        let (epoch, time) = (self.reservedEpoch(of: app), app.timeToNote)
        let context = self.context(of: app, origin: .manual, inTask: caller, epoch, at: time, site)
        // Asked only now: making the context may have called the app's own function, which may have connected one.
        let isCounted = !app.signals.appContextPushed.hasReceivers
        let requestContext =
            isCounted
            ? self.context(of: app, request, on: context, inTask: caller, epoch, at: time, site)
            : App.RequestContext(app, request)
        return ContextScope(
            alone: consume context,
            request: requestContext,
            isRequestCounted: isCounted,
            epoch: epoch,
            at: time,
            owner: caller,
            worker: nil,
            site: site
        )
    }

    /// A new request context with its first push, on an app context that was made for it and whose unit it shares.
    @inline(__always)
    private static func context(
        of app: App,
        _ request: HTTPRequest,
        on appContext: AppContext,
        inTask caller: ExecutionID,
        _ epoch: Epoch?,
        at time: UInt64,
        _ site: Site
    ) -> App.RequestContext {
        let ordinal = app.nextOrdinal
        let recorded = app.recordedUnit(inTask: epoch)
        let context = App.RequestContext(
            app,
            request,
            on: appContext,
            by: caller,
            at: time,
            site: site,
            in: .within(Unmanaged.passUnretained(appContext), epoch),
            recorded: recorded,
            ordinal: ordinal
        )
        if let epoch {
            let unit = LifetimeUnit(recorded, or: WorkUnit.Label(inTask: epoch))
            context.recordFirstPush(ordinal, on: appContext, in: unit, at: time, site: site)
        }
        return context
    }

    /// The number of a unit that is not made. Only an event asks for it here.
    @inline(__always)
    private static func reservedEpoch(of app: App) -> Epoch? { app.isRecording ? Epoch.next() : nil }

    /// A new app context with its first push, in a task with nothing around it.
    @inline(__always)
    private static func context(
        of app: App,
        origin: TrailEvent.Push.Origin,
        inTask caller: ExecutionID,
        _ epoch: Epoch?,
        at time: UInt64,
        for request: App.RequestContext? = nil,
        _ site: Site
    ) -> AppContext {
        let ordinal = app.nextOrdinal(for: request)
        let recorded = app.recordedUnit(inTask: epoch)
        let context = AppContext(
            app,
            origin: origin,
            by: caller,
            at: time,
            site: site,
            in: .reserved(epoch),
            recorded: recorded,
            ordinal: ordinal
        )
        if let epoch {
            let unit = LifetimeUnit(recorded, or: WorkUnit.Label(inTask: epoch))
            context.recordFirstPush(ordinal, in: unit, at: time, site: site)
        }
        return context
    }

    private init(_ request: App.RequestContext, of caller: ExecutionID, worker: Worker?, site: Site) {
        // Before anything is inherited: what is found is nobody's outer context.
        let left = PoisonedThread.find(caller, naming: worker)
        let outer = Scope.current(of: caller)
        let inherited = outer.flatMap { ContextLayers.inheritable(from: $0) }
        let around = inherited?.visible
        let reused = around?.app.flatMap { context in
            context.app === request.app && inherited?.isRemains(context) != true ? context : nil
        }
        let appContext = reused ?? AppContext(request.app, origin: request.origin)
        let claim = UnitClaim.forRequest(
            of: request.app,
            worker: worker,
            in: outer,
            caller: caller,
            isInside: around?.app != nil
        )
        if let recycling = claim.recycling { request.app.record(recycling) }
        self.keptApp = Unmanaged.passUnretained(appContext.app)
        self.ownsApp = reused == nil
        self.isRequest = true
        self.borrowedRequest = Unmanaged.passUnretained(request)
        self.isCounted = false
        self.isRequestCounted = false
        self.isAlone = false
        self.reservedEpoch = nil
        self.openedAt = 0
        self.ownsUnit = claim.isOwned
        self.parent = reused == nil ? request.app.ordinal(of: around?.app) : nil
        self.site = site
        super.init(
            owner: caller,
            base: Visible(app: appContext, request: request),
            in: inherited,
            outerRequest: around?.request,
            takesApp: reused != nil,
            bindsRequest: false,
            branch: Scope.branch(for: caller, nestedIn: outer),
            claim: claim,
            left: left
        )
    }

    /// The unit that was reserved for the scope: only a scope that was made without one is asked.
    package override func makeUnit() -> WorkUnit? { self.appContext.lifetime.reservedUnit() }

    /// Runs the closure with the contexts current.
    package nonisolated(nonsending) func run<Result>(
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let scope: Scope = self
        return try await scope.run(operation)
    }
}
