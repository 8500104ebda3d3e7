// A copy of everything that is current, to be run elsewhere.

private import Synchronization

/// The context variables, recyclable values and contexts of the moment it was taken, as a context of their own (PEP 567).
///
/// Running it shows that context: changes made inside stay in the snapshot, also pushes that are not undone, and nothing of it
/// reaches the context that runs it (`CV-08`, `REC-14`, `REC-16`). Its units are those of a worker of its own, under the name of
/// the worker it was taken on: ``Worker/current`` inside, so that a recycle there touches only the snapshot. Values themselves
/// are shared, not copied; those of variables that withhold them from hand-offs are left out. One snapshot is run by one
/// caller at a time; take another for each concurrent worker. To lend a request to other workers, prefer `ContextSnapshot`.
public final class VariableSnapshot: Sendable {
    private let branch: VariableBranch
    private let worker: Worker
    private let slot: LayerSlot
    private let isEntered = Atomic<Bool>(false)

    private static let counter = Atomic<Int64>(0)

    /// Takes a snapshot of the caller's variables, recyclable values and contexts.
    public init() {
        let scope = Scope.current
        self.branch = scope?.forkedBranch ?? VariableBranch()
        self.worker = Self.forkedWorker(of: scope)
        self.slot = LayerSlot(scope?.layers?.captured())
    }

    private init(worker: Worker) {
        self.branch = VariableBranch()
        self.worker = worker
        self.slot = LayerSlot()
    }

    /// A snapshot without variables, recyclable values and contexts; a new one at each access.
    public static var empty: VariableSnapshot {
        VariableSnapshot(worker: Self.namedWorker())
    }

    /// Runs the closure with the snapshot's variables, values and contexts.
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

    /// Runs the closure with the snapshot's variables, values and contexts, on the caller's actor.
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

    /// Whether the snapshot has a value of the variable. A declared default does not count (`CV-11`).
    public func contains<Value>(_ variable: ContextVariable<Value>) -> Bool {
        self.branch.contains(variable.id)
    }

    /// The value of the variable in the snapshot, without running it.
    ///
    /// Throws ``VariableError/Code/missingKey`` when it has none; a declared default does not count (`CV-11`).
    public func value<Value>(
        of variable: ContextVariable<Value>,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(VariableError) -> Value {
        if let box = self.branch.box(of: variable.id) { return TypedBox<Value>.value(in: box) }
        throw VariableError(
            .missingKey,
            "the snapshot has no value of \"\(variable.name)\": ask contains(_:) first, or set it before taking the snapshot",
            fileID: fileID,
            line: line
        )
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
        let caller = ExecutionID.current
        self.slot.layers?.enter(by: caller)
        return Scope(owner: caller, branch: self.branch, source: .following(self.worker), slot: self.slot)
    }

    private static func forkedWorker(of scope: Scope?) -> Worker {
        switch scope?.unitSource {
        case .own(let unit, _)?: Worker(hosting: unit.forked())
        case .following(let worker)?: worker.forked()
        case nil:
            if scope == nil, !ExecutionID.isInTask { ThreadState.current.worker.forked() } else { self.namedWorker() }
        }
    }

    /// A worker without a unit, named after the caller's, or after the snapshot's number.
    private static func namedWorker() -> Worker {
        if let name = Worker.current?.name { return Worker(kind: name.kind, number: name.number) }
        let number = self.counter.wrappingAdd(1, ordering: .relaxed).newValue
        return Worker(kind: "snapshot", number: number)
    }
}
