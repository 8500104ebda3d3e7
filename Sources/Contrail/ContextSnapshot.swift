// A hand-off that borrows: other work sees the context, and never ends it.

internal import ContextVariables
internal import ContrailRecorder

/// The contexts and variables of one moment, lent to work that inheritance does not reach: `Task.detached`, Dispatch, a job
/// loop, an NIO callback.
///
/// Borrowers share the context: no hook of the owner runs on their behalf. The owner must not end the context before they are
/// done; a borrower that outlives it gets ``ContextError/Code/borrowOutlived`` and leaves a problem. Work that must outlive the
/// request takes values, not the context. One snapshot serves any number of workers at once, each with a branch of its
/// variables. Taking it leaves a `handoff` event.
public struct ContextSnapshot: Sendable {
    private let visible: ContextLayers.Visible
    private let borrowed: ContextLayers.Borrowed
    private let branch: VariableBranch
    private let unit: WorkUnit?
    private let site: Site
    /// Who took it: for that one the contexts below are its own, and no remains of earlier work.
    private let taker: ExecutionID

    /// Takes a snapshot of what is current here.
    ///
    /// Throws ``ContextError/Code/outsideAppContext`` when nothing is, and what ``Current`` throws when it has ended.
    ///
    /// - Parameter name: What the hand-off is for, as the trail shows it: `ship`. Take it from a small set; at most 128 bytes
    ///     are kept.
    public init(_ name: String, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError) {
        let app = try Current.app
        guard let layers = ContextLayers.here else { throw Self.outside(Site(fileID: fileID, line: line)) }
        let visible = layers.visible
        let scope = Scope.current
        self.visible = visible
        self.borrowed = ContextLayers.Borrowed(visible)
        self.taker = ExecutionID.current
        self.branch = scope?.forkedBranch ?? VariableBranch()
        self.unit = scope?.unit?.forked()
        self.site = Site(fileID: fileID, line: line)
        app.record(context: visible.ordinal, unit: scope?.unit) { recorder, head in
            recorder.recordHandoff(head, name: app.recordedName(name), site: self.site)
        }
    }

    /// Runs the closure with the borrowed context current.
    ///
    /// Throws ``ContextError/Code/borrowOutlived``, without running it, when the owner has ended the context.
    public func run<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: () throws -> Result
    ) throws -> Result {
        let (scope, layers) = try self.enter(Site(fileID: fileID, line: line))
        defer { layers.close() }
        return try scope.run(operation)
    }

    /// Runs the closure, on the caller's actor, with the borrowed context current.
    ///
    /// Throws ``ContextError/Code/borrowOutlived``, without running it, when the owner has ended the context.
    public nonisolated(nonsending) func run<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let (scope, layers) = try self.enter(Site(fileID: fileID, line: line))
        defer { layers.close() }
        return try await scope.run(operation)
    }

    private func enter(_ site: Site) throws(ContextError) -> (Scope, ContextLayers) {
        let caller = ExecutionID.current
        if caller != self.taker { PoisonedThread.check(caller, for: self.visible.app, site) }
        let layers = ContextLayers(owner: caller, base: self.visible, borrowed: self.borrowed.run(at: site))
        if let error = layers.appEndedError(for: self.visible, site) { throw error }
        if let error = layers.requestEndedError(for: self.visible, site) { throw error }
        // A recycle by the borrower must not reach the owner: it is of a worker of its own, under the same name.
        let worker = self.unit.map { Worker(hosting: $0.forked()) }
        let scope = Scope(
            owner: caller,
            branch: self.branch.forked(),
            source: worker.map { .following($0) },
            layers: layers
        )
        return (scope, layers)
    }

    private static func outside(_ site: Site) -> ContextError {
        ContextError(
            .outsideAppContext,
            "no context is current here that could be handed off: take the snapshot inside the request",
            site: site
        )
    }
}
