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
/// @unchecked Sendable: what it derives from is so. All fields are constants or atomics.
package final class ContextScope: ContextLayers, @unchecked Sendable {
    // Unmanaged: the app is a constant of the app context, which is in the base.
    private let keptApp: Unmanaged<App>
    // Unmanaged: the base holds it. Asking the base each time would count it.
    let borrowedRequest: Unmanaged<App.RequestContext>?
    private let ownsApp: Bool
    private let isRequest: Bool
    /// Whether the app context was made and counted and recorded as pushed when the scope was made.
    private let isCounted: Bool
    /// Whether the request context was, too.
    private let isRequestCounted: Bool
    /// Whether nothing was around the scope, and its app context reserved a unit that nobody may ask for.
    private let isAlone: Bool
    /// The number of that unit, if it has one yet.
    private let reservedEpoch: Epoch?
    /// When that app context was pushed.
    private let openedAt: UInt64
    /// Whether the unit ends with the scope.
    private let ownsUnit: Bool
    private let parent: TrailEvent.ContextOrdinal?
    let site: Site

    private let isFinished = Atomic<Bool>(false)
    private let requestIsUndone = Atomic<Bool>(false)

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
        guard worker == nil, caller.isTask, Scope.isNothingAround(caller), !app.recordsSelectively,
            !app.signals.appContextPushed.hasReceivers
        else { return self.open(App.RequestContext(app, request), worker: worker, site: site) }
        let (epoch, time) = (self.reservedEpoch(of: app), app.timeToNote)
        let context = self.context(of: app, origin: .manual, inTask: caller, epoch, at: time, site)
        // Making it may have called the app's own function, which may have connected one.
        guard !app.signals.appContextPushed.hasReceivers else {
            let request = App.RequestContext(app, request)
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
        let ordinal = app.nextOrdinal
        let recorded = app.recordedUnit(inTask: epoch)
        let requestContext = App.RequestContext(
            app,
            request,
            on: context,
            by: caller,
            at: time,
            site: site,
            in: .within(Unmanaged.passUnretained(context), epoch),
            recorded: recorded,
            ordinal: ordinal
        )
        if let epoch {
            let unit = LifetimeUnit(recorded, or: WorkUnit.Label(inTask: epoch))
            requestContext.recordFirstPush(ordinal, on: context, in: unit, at: time, site: site)
        }
        return ContextScope(
            alone: consume context,
            request: requestContext,
            isRequestCounted: true,
            epoch: epoch,
            at: time,
            owner: caller,
            worker: nil,
            site: site
        )
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

    // MARK: - Entering

    /// What stopped the entry, and how far it had come.
    enum Obstacle: Error {
        /// A receiver of `appcontext_pushed` threw: nothing but the app context is pushed.
        case receiver(any Error)
        /// Opening the session or matching the path threw: everything is pushed.
        case opening(any Error)

        var error: any Error {
            switch self {
            case .receiver(let error), .opening(let error): error
            }
        }
    }

    /// Pushes the contexts. A failure undoes itself: the request is unbound, and an app context of its own is popped with the
    /// error.
    package nonisolated(nonsending) func enter() async throws {
        guard let obstacle = self.push() else { return }
        await self.abandonAwaited(obstacle)
        throw obstacle.error
    }

    /// Undoes the entry.
    nonisolated(nonsending) func abandonAwaited(_ obstacle: Obstacle) async {
        if self.abandon(obstacle) { await self.finish(Outcome(error: obstacle.error)) }
    }

    /// Undoes the entry, for a synchronous caller.
    func abandonNow(_ obstacle: Obstacle) {
        guard self.abandon(obstacle) else { return }
        if self.needsAsync {
            self.finishLater(Outcome(error: obstacle.error))
        } else {
            _ = self.finish(Outcome(error: obstacle.error))
        }
    }

    /// Goes on with the entry in spite of an error that nobody can be told of; the trail has it.
    func goOn(after obstacle: Obstacle) {
        switch obstacle {
        case .receiver: if let next = self.pushRequest() { self.recordOpening(next) }
        case .opening: self.recordOpening(obstacle)
        }
    }

    private func recordOpening(_ obstacle: Obstacle) {
        if let request { request.app.recordFailure("open the session", obstacle.error, context: request) }
    }

    /// Pushes the contexts. Returns what stopped it.
    func push() -> Obstacle? {
        if self.ownsApp {
            if !self.isCounted {
                self.appContext.beginPush(
                    site: self.site,
                    parent: self.parent,
                    unit: self.unit,
                    by: self.owner,
                    for: self.request
                )
            }
            if self.signals.appContextPushed.hasReceivers {
                do {
                    try self.run { try self.appContext.announcePush(unit: self.appContext.lifetime.label) }
                } catch {
                    return .receiver(error)
                }
            }
        }
        return self.pushRequest()
    }

    /// Where the request finds its unit: nobody may ask for it.
    private var requestPlace: UnitPlace {
        self.isAlone ? .within(self.borrowedContext, self.reservedEpoch) : UnitPlace(self.unit)
    }

    private func pushRequest() -> Obstacle? {
        guard let borrowed = self.borrowedRequest else { return nil }
        return borrowed._withUnsafeGuaranteedRef { self.push($0) }
    }

    @inline(__always)
    private func push(_ request: App.RequestContext) -> Obstacle? {
        self.bindRequest()
        if !self.isRequestCounted { self.beginPush(of: request) }
        if let left { left.report(reader: (request.app, request.lifetime.current), self.site) }
        do {
            if request.opensForUser {
                try self.run { try request.open() }
            } else {
                try request.open()
            }
            return nil
        } catch {
            return .opening(error)
        }
    }

    private func beginPush(of request: App.RequestContext) {
        // Nothing of the user's was called since the app context was pushed, unless there are receivers.
        let time = self.isAlone && !self.signals.appContextPushed.hasReceivers ? self.openedAt : nil
        self.borrowedContext._withUnsafeGuaranteedRef { context in
            request.beginPush(
                on: context,
                at: time,
                site: self.site,
                in: self.requestPlace,
                by: self.owner,
                ownsApp: self.ownsApp
            )
        }
    }

    /// Undoes the entry as far as nothing has to be called. Returns whether the app context is still to be finished.
    private func abandon(_ obstacle: Obstacle) -> Bool {
        switch obstacle {
        case .receiver(let error):
            guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return false }
            self.leave()
            // Its unit is the app context's: it goes first.
            if self.isRequestCounted { self.request?.undoPush(error, by: self.owner, site: self.site) }
            self.appContext.undoPush(error, by: self.owner, site: self.site)
            return false
        case .opening(let error):
            self.unbindRequest()
            self.requestIsUndone.store(true, ordering: .releasing)
            self.request?.undoPush(error, by: self.owner, site: self.site)
            return true
        }
    }

    // MARK: - Running

    /// Runs the closure with the contexts current.
    package nonisolated(nonsending) func run<Result>(
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let scope: Scope = self
        return try await scope.run(operation)
    }

    // MARK: - Finishing

    /// Whether a hook would run now that only an async caller can run: on the way out, or for what was left pushed.
    var needsAsync: Bool {
        let hasAsyncHooks = self.keptApp._withUnsafeGuaranteedRef { app in
            (self.ownsApp && app.hasAsyncAppHooks) || (self.isRequest && app.hasAsyncRequestHooks)
        }
        return hasAsyncHooks || (self.isPushedInto && self.leftovers.contains { $0.needsAsync })
    }

    @inline(__always)
    var signals: Signals.All { self.keptApp._withUnsafeGuaranteedRef { $0.signals } }

    /// Whether an imperative push is left in the scope.
    private var isPushedInto: Bool { self.pushCount > 0 }

    /// Whether the end of an app context calls anything of the user's while it is current.
    private var callsAppHooks: Bool {
        self.ownsApp
            && (self.keptApp._withUnsafeGuaranteedRef { $0.hasAppHooks }
                || self.signals.appContextTearingDown.hasReceivers)
    }

    /// Whether the end of a request calls anything of the user's.
    private var callsRequestHooks: Bool {
        self.isRequest
            && (self.keptApp._withUnsafeGuaranteedRef { $0.hasHandlers }
                || self.signals.requestTearingDown.hasReceivers)
    }

    /// Whether the first half of a finish calls anything of the user's, which must see the contexts as the current ones.
    private var callsUser: Bool {
        self.callsAppHooks || self.callsRequestHooks || self.isPushedInto
    }

    /// How far the first half of a finish has come.
    enum Unwinding {
        /// Somebody else does it.
        case none
        /// The app context is still pushed, and its pop is to be counted at once: nothing of the user's is called at it, nor was
        /// since the time, if there is one.
        case quiet(since: UInt64?)
        /// The pop of the app context has begun, or there is none.
        case begun
    }

    /// Unwinds and pops. Returns what hooks and receivers threw. Async hooks must not be there.
    func finish(_ outcome: Outcome) -> [any Error] {
        self.begin() ? self.finishNow(outcome) : []
    }

    /// Unwinds and pops, for the one who is to finish the scope.
    func finishNow(_ outcome: Outcome) -> [any Error] {
        var errors: [any Error] = []
        let unwinding =
            self.callsUser
            ? self.run { self.unwindNow(outcome, &errors) }
            : self.unwindNow(outcome, &errors)
        self.conclude(unwinding, outcome, &errors)
        return errors
    }

    /// Whether the caller is the one to finish the scope.
    private func begin() -> Bool {
        !self.isFinished.exchange(true, ordering: .acquiringAndReleasing)
    }

    /// The first half of a finish: unwinds and runs the hooks, and adds what they threw. The caller runs in the scope, unless
    /// there is nothing to call, and is the one to finish it.
    func unwindNow(_ outcome: Outcome, _ errors: inout [any Error]) -> Unwinding {
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            scope.run { ending.runHooks() }
            scope.closeLayers()
            self.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        var time: UInt64?
        if let borrowed = self.borrowedRequest, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(borrowing: borrowed, outcome: outcome, owner: self.owner, site: self.site)
            ending.runHooks()
            self.unbindRequest()
            time = ending.finish(&errors)
        }
        guard self.ownsApp else { return .begun }
        guard self.callsAppHooks else { return .quiet(since: time) }
        var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, owner: self.owner, site: self.site)
        ending.runHooks()
        ending.moveErrors(to: &errors)
        return .begun
    }

    /// The second half of a finish: the contexts are no longer current. Adds what receivers threw.
    @inline(__always)
    func conclude(_ unwinding: Unwinding, _ outcome: Outcome, _ errors: inout [any Error]) {
        switch unwinding {
        case .none: return
        case .quiet(let time):
            self.concludeQuietly(since: time, outcome, &errors)?.end()
        case .begun:
            self.leave()
            guard self.ownsApp else { return }
            let time = self.appContext.app.timeToNote
            self.appContext.concludePop(outcome, of: self.owner, at: time, site: self.site, &errors)
        }
    }

    /// The second half of a finish at whose pop nothing of the user's is called. Returns the unit that is over with it when only the
    /// context was asked for it: the caller's to end, once the scope is unbound.
    @inline(__always)
    func concludeQuietly(since time: UInt64?, _ outcome: Outcome, _ errors: inout [any Error]) -> WorkUnit? {
        let endsMadeUnit = self.ownsUnit && self.hasMadeUnit
        if endsMadeUnit { self.leave() } else { self.close() }
        return self.borrowedContext._withUnsafeGuaranteedRef { context in
            context.popQuietly(
                outcome,
                of: self.owner,
                at: time,
                endsUnit: self.ownsUnit && !endsMadeUnit,
                // What the request left there says more.
                isLastHere: !self.isRequest,
                site: self.site,
                &errors
            )
        }
    }

    /// Unwinds and pops, with async hooks shielded from cancellation. Returns what hooks and receivers threw.
    @discardableResult
    package nonisolated(nonsending) func finish(_ outcome: Outcome) async -> [any Error] {
        self.begin() ? await self.finishAwaited(outcome) : []
    }

    /// Unwinds and pops, with async hooks, for the one who is to finish the scope.
    nonisolated(nonsending) func finishAwaited(_ outcome: Outcome) async -> [any Error] {
        var errors: [any Error] = []
        let scope: Scope = self
        let unwinding =
            if self.callsUser {
                await scope.run { () async in await self.unwind(outcome, &errors) }
            } else {
                // No hook, so no async one.
                self.unwindNow(outcome, &errors)
            }
        self.conclude(unwinding, outcome, &errors)
        return errors
    }

    /// The first half of a finish, as its sync twin does, with async hooks.
    nonisolated(nonsending) func unwind(_ outcome: Outcome, _ errors: inout [any Error]) async -> Unwinding {
        while self.isPushedInto, let (push, scope) = self.nextLeftover() {
            var ending = push.leaking()
            await scope.run { await ending.runHooks() }
            scope.closeLayers()
            self.removeTop()
            errors += ending.finish()
            push.claim?.release()
        }
        var time: UInt64?
        if let request = self.request, !self.requestIsUndone.load(ordering: .acquiring) {
            var ending = LifetimeEnding(.request(request), outcome: outcome, owner: self.owner, site: self.site)
            await ending.runHooks()
            self.unbindRequest()
            time = ending.finish(&errors)
        }
        guard self.ownsApp else { return .begun }
        guard self.callsAppHooks else { return .quiet(since: time) }
        var ending = LifetimeEnding(.app(self.appContext), outcome: outcome, owner: self.owner, site: self.site)
        await ending.runHooks()
        ending.moveErrors(to: &errors)
        return .begun
    }

    /// Finishes in a housekeeping task: for a caller that cannot wait, such as a `deinit`.
    package func finishLater(_ outcome: Outcome) {
        guard !self.isFinished.load(ordering: .acquiring) else { return }
        Task.detached(name: "contrail housekeeping") { await self.finish(outcome) }
    }

    /// The leftover on top, with the scope in which its hooks see it as current: not every caller is the owner.
    private func nextLeftover() -> (ContextPush, Scope)? {
        self.top.map { push in
            (push, push.scope(showing: self.visibleToOwner, of: self, branch: self.branch))
        }
    }

    private func leave() {
        self.close()
        guard self.ownsUnit else { return }
        if let unit = self.madeUnit ?? self.appContext.lifetime.endReservedUnit() {
            if let worker { worker.releaseUnit(unit) } else { unit.end() }
        }
    }
}
