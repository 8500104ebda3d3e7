// Contexts that are kept past the pops of their owner: for a stream, whose body is produced after the view has returned.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// Keeps the current contexts from ending, shows them to whoever runs something in it, and ends them when it is finished.
///
/// It is one more push of each, which no thread and no task holds: the owner's pops do not tear down, the last one does, here,
/// once, wherever that happens (`STR-03`, `STR-09`). Finishing twice does nothing; a hold that is dropped is finished in a
/// housekeeping task as aborted.
final class ContextHold: Sendable {
    private let held: HeldContexts
    private let isFinished = Atomic<Bool>(false)

    /// Holds what is current. Throws what a reader of the request throws, and what a receiver of `appcontext_pushed` throws.
    init(_ site: Site) throws {
        let reader = Current.Reader(site: site)
        let request = try reader.requestContext
        // The request's own, also where another app context is pushed above it.
        let appContext = try request.appContext ?? reader.appContext
        let scope = Scope.current
        let unit = scope?.unit
        self.held = HeldContexts(
            appContext: appContext,
            request: request,
            branch: scope?.forkedBranch ?? VariableBranch(),
            // The owner's unit ends with the owner; the stream goes on with a fork of it.
            worker: unit.map { Worker(hosting: $0.forked()) },
            site: site
        )
        appContext.beginPush(site: site, parent: nil, unit: unit)
        do {
            try appContext.announcePush(unit: unit?.label)
        } catch {
            appContext.undoPush(error, site: site)
            // What was not pushed must not be popped when this object dies.
            self.isFinished.store(true, ordering: .releasing)
            throw error
        }
        request.beginPush(on: appContext, site: site, in: UnitPlace(unit), ownsApp: false)
    }

    deinit {
        guard !self.hasEnded else { return }
        self.held.endLater(.aborted)
    }

    /// Whether the contexts have been given back.
    var hasEnded: Bool { self.isFinished.load(ordering: .acquiring) }

    /// Runs the closure with the contexts current.
    func run<Result>(_ operation: () throws -> Result) throws -> Result {
        try self.checkIsOpen()
        let (scope, layers) = self.held.scope()
        defer { layers.close() }
        return try scope.run(operation)
    }

    /// Runs the closure, on the caller's actor, with the contexts current.
    nonisolated(nonsending) func run<Result>(
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        try self.checkIsOpen()
        let (scope, layers) = self.held.scope()
        defer { layers.close() }
        return try await scope.run(operation)
    }

    /// Gives the contexts back.
    nonisolated(nonsending) func finish(_ outcome: Outcome) async {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        await self.held.end(outcome)
    }

    /// Gives the contexts back from a synchronous caller; with async hooks, in a housekeeping task.
    func finish(_ outcome: Outcome) {
        guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return }
        if self.held.needsAsync { self.held.endLater(outcome) } else { self.held.end(outcome) }
    }

    private func checkIsOpen() throws(ContextError) {
        guard self.hasEnded else { return }
        throw ContextError(
            .streamEnded,
            "the stream of \(self.held.request) has ended: iterate over it once, to its end",
            site: self.held.site
        )
    }
}

/// What a hold keeps, apart from the hold: its end may come when that is being released.
struct HeldContexts: Sendable {
    let appContext: AppContext
    let request: App.RequestContext
    let branch: VariableBranch
    let worker: Worker?
    let site: Site

    /// Whether a hook would run at the end that only an async caller can run.
    var needsAsync: Bool { self.appContext.app.hasAsyncAppHooks || self.appContext.app.hasAsyncRequestHooks }

    /// A scope that shows the contexts. Close its layers after.
    func scope() -> (Scope, ContextLayers) {
        let caller = ExecutionID.current
        let visible = ContextLayers.Visible(app: self.appContext, request: self.request)
        let layers = ContextLayers(owner: caller, base: visible)
        let source = self.worker.map { UnitSource.following($0) }
        return (Scope(owner: caller, branch: self.branch, source: source, layers: layers), layers)
    }

    /// Ends what is held, in a housekeeping task.
    func endLater(_ outcome: Outcome) {
        Task.detached(name: "contrail housekeeping") { await self.end(outcome) }
    }

    /// Ends what is held. Async hooks must not be there.
    func end(_ outcome: Outcome) {
        let (scope, layers) = self.scope()
        var ending = scope.run { () -> LifetimeEnding in
            var ending = LifetimeEnding(.request(self.request), outcome: outcome, site: self.site)
            ending.runHooks()
            layers.unbindRequest()
            _ = ending.finish()
            ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            ending.runHooks()
            return ending
        }
        layers.close()
        _ = ending.finish()
    }

    /// Ends what is held, with async hooks shielded from cancellation.
    nonisolated(nonsending) func end(_ outcome: Outcome) async {
        let (scope, layers) = self.scope()
        var ending = await scope.run { () async -> LifetimeEnding in
            var ending = LifetimeEnding(.request(self.request), outcome: outcome, site: self.site)
            await ending.runHooks()
            layers.unbindRequest()
            _ = ending.finish()
            ending = LifetimeEnding(.app(self.appContext), outcome: outcome, site: self.site)
            await ending.runHooks()
            return ending
        }
        layers.close()
        _ = ending.finish()
    }
}
