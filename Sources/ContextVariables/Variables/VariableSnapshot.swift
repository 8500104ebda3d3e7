// A copy of all variables of the current context, to be run elsewhere.

private import Synchronization

/// The context variables and recyclable values of the moment it was taken, as a branch of their own.
///
/// Running it shows that branch: changes made inside stay in the snapshot, and nothing of it reaches the context that runs
/// it (`CV-08`, `REC-14`, `REC-16`). Values themselves are shared, not copied. One snapshot is run by one caller at a time;
/// take another for each concurrent worker.
public final class VariableSnapshot: Sendable {
    private let branch: VariableBranch
    private let unit: WorkUnit?
    private let isEntered = Atomic<Bool>(false)

    /// Takes a snapshot of the caller's variables.
    public init() {
        let scope = Scope.current
        self.branch = scope?.branch.forked() ?? VariableBranch()
        self.unit = scope?.unit?.forked()
    }

    /// Runs the closure with the snapshot's variables. Contexts are not part of it: the caller's stay current.
    ///
    /// Throws ``VariableError/Code/snapshotEntered`` while somebody is running it (`CV-09`).
    public func run<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: () throws -> Result
    ) throws -> Result {
        let scope = try self.enter(fileID: fileID, line: line)
        defer { self.isEntered.store(false, ordering: .releasing) }
        return try scope.run(operation)
    }

    /// Runs the closure with the snapshot's variables, on the caller's actor. Contexts are not part of it: the
    /// caller's stay current.
    ///
    /// Throws ``VariableError/Code/snapshotEntered`` while somebody is running it (`CV-09`).
    public nonisolated(nonsending) func run<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        let scope = try self.enter(fileID: fileID, line: line)
        defer { self.isEntered.store(false, ordering: .releasing) }
        return try await scope.run(operation)
    }

    private func enter(fileID: StaticString, line: UInt) throws(VariableError) -> Scope {
        guard !self.isEntered.exchange(true, ordering: .acquiringAndReleasing) else {
            throw VariableError(
                .snapshotEntered,
                "the snapshot is being run already: take one VariableSnapshot for each concurrent worker",
                fileID: fileID,
                line: line
            )
        }
        let layers = Scope.currentLayers
        return Scope(
            owner: ExecutionID.current,
            branch: self.branch,
            unit: self.unit,
            layers: layers,
            pushFloor: layers?.pushCount ?? 0
        )
    }
}
