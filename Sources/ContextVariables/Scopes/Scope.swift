// The one thing that is bound to a task or thread: it carries the variables, the unit and the context layers.

/// What a `with…` call binds: an immutable base that every reader sees, and what its layers say of imperative pushes.
///
/// One task-local holds one reference to the innermost scope; a thread without a task has a root scope of its own.
package final class Scope: Sendable {
    @TaskLocal private static var bound: Scope?

    /// The task or thread that may push and set here.
    package let owner: ExecutionID
    /// The values of context variables.
    package let branch: VariableBranch
    /// The context layers of the room above, which alone knows their type.
    package let layers: (any ScopeLayers)?

    private let baseUnit: WorkUnit?
    /// The worker whose unit is the base, whichever that is: for a bare thread, whose scope outlives many units.
    private let baseWorker: Worker?
    /// How many of the layers' pushes are older than this scope's unit and do not change it.
    private let pushFloor: Int

    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch,
        unit: WorkUnit?,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(owner: owner, branch: branch, unit: unit, worker: nil, layers: layers, pushFloor: pushFloor)
    }

    private init(
        owner: ExecutionID,
        branch: VariableBranch,
        unit: WorkUnit?,
        worker: Worker?,
        layers: (any ScopeLayers)?,
        pushFloor: Int
    ) {
        self.owner = owner
        self.branch = branch
        self.baseUnit = unit
        self.baseWorker = worker
        self.layers = layers
        self.pushFloor = pushFloor
    }

    /// A scope of variables for the caller, with the unit and layers around it, and a fork of the variables around it.
    package static func forking() -> Scope {
        let caller = ExecutionID.current
        let outer = self.around(caller)
        return Scope(
            owner: caller,
            branch: outer?.branch.forked() ?? VariableBranch(),
            unit: outer?.baseUnit,
            worker: outer?.baseWorker,
            layers: outer?.layers,
            pushFloor: outer?.pushFloor ?? 0
        )
    }

    /// The variables that a scope of `owner` inside `outer` starts with: those of `outer` if `owner` owns it, else a fork.
    package static func branch(for owner: ExecutionID, nestedIn outer: Scope?) -> VariableBranch {
        guard let outer else { return VariableBranch() }
        return outer.owner == owner ? outer.branch : outer.branch.forked()
    }

    /// The innermost scope of the caller; on a bare thread its root, if anything was ever pushed or set there.
    package static var current: Scope? {
        if let bound { return bound }
        return ExecutionID.isInTask ? nil : ThreadState.existing?.root
    }

    /// The scope in which the caller opens another: the innermost one; on a bare thread at least its root.
    package static func around(_ caller: ExecutionID) -> Scope? {
        self.bound ?? self.threadRoot(for: caller)
    }

    /// The context layers that the caller sees. On a bare thread they may be the root's while a scope of variables is bound.
    package static var currentLayers: (any ScopeLayers)? {
        if let layers = self.bound?.layers { return layers }
        return ExecutionID.isInTask ? nil : ThreadState.existing?.root?.layers
    }

    /// The root scope of a bare thread, made on demand; `nil` in a task, which has none.
    package static func threadRoot(for caller: ExecutionID) -> Scope? {
        guard !caller.isTask else { return nil }
        let thread = ThreadState.current
        if let root = thread.root { return root }
        let root = Scope(
            owner: caller,
            branch: VariableBranch(),
            unit: nil,
            worker: thread.worker,
            layers: nil,
            pushFloor: 0
        )
        thread.root = root
        return root
    }

    /// Gives the root of a bare thread its layers, once. Variables and unit stay what they are.
    package static func setThreadRootLayers(_ layers: any ScopeLayers, for caller: ExecutionID) -> Scope? {
        guard let root = self.threadRoot(for: caller) else { return nil }
        let replacement = Scope(
            owner: caller,
            branch: root.branch,
            unit: nil,
            worker: root.baseWorker,
            layers: layers,
            pushFloor: 0
        )
        ThreadState.current.root = replacement
        return replacement
    }

    /// The root of the bare thread that calls, unless another scope hides it.
    package static var threadRootInSight: Scope? {
        self.bound == nil ? ThreadState.existing?.root : nil
    }

    /// Releases the root of the bare thread that calls.
    package static func clearThreadRoot() {
        ThreadState.existing?.root = nil
    }

    /// The unit of work that the caller is in.
    package var unit: WorkUnit? {
        let layers = self.layers ?? (self.owner.isTask ? nil : ThreadState.existing?.root?.layers)
        return layers?.pushedUnit(above: self.pushFloor) ?? self.baseUnit ?? self.baseWorker?.currentUnit()
    }

    /// Runs the closure with this scope bound.
    package func run<Result, Failure: Error>(
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            return try Scope.$bound.withValue(self) { try operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            throw error as! Failure
        }
    }

    /// Runs the closure with this scope bound, on the caller's actor.
    package nonisolated(nonsending) func run<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            return try await Scope.$bound.withValue(self) { try await operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            throw error as! Failure
        }
    }
}
