// The one thing that is bound to a task or thread: it carries the variables, the unit and the context layers.

private import Synchronization

/// What a `with…` call binds: an immutable base that every reader sees, and a rarely used stack of pushed units.
///
/// One task-local holds one reference to the innermost scope; a thread without a task has a root scope of its own.
package final class Scope: Sendable {
    @TaskLocal private static var bound: Scope?

    /// The task or thread that may push and set here.
    package let owner: ExecutionID
    /// The values of context variables.
    package let branch: VariableBranch
    /// The context layers of the room above, which alone knows their type.
    package let layers: (any AnyObject & Sendable)?

    private let baseUnit: WorkUnit?
    private let pushedUnits = Mutex<[WorkUnit]>([])
    private let pushedCount = Atomic<Int>(0)

    package init(
        owner: ExecutionID,
        branch: VariableBranch,
        unit: WorkUnit?,
        layers: (any AnyObject & Sendable)?
    ) {
        self.owner = owner
        self.branch = branch
        self.baseUnit = unit
        self.layers = layers
    }

    /// A scope for the caller inside `outer`, with its unit and layers.
    ///
    /// The variables are shared with `outer` when the caller owns it, and forked otherwise or on request.
    package convenience init(nestedIn outer: Scope?, forksBranch: Bool = false) {
        let caller = ExecutionID.current
        self.init(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer, forks: forksBranch),
            unit: outer?.unit,
            layers: outer?.layers
        )
    }

    /// The variables that a scope of `owner` inside `outer` starts with.
    package static func branch(for owner: ExecutionID, nestedIn outer: Scope?, forks: Bool = false) -> VariableBranch {
        guard let outer else { return VariableBranch() }
        return forks || outer.owner != owner ? outer.branch.forked() : outer.branch
    }

    /// The innermost scope of the caller; on a bare thread its root, if anything was ever pushed or set there.
    package static var current: Scope? {
        if let bound { return bound }
        return ExecutionID.isInTask ? nil : ThreadState.existing?.root
    }

    /// The context layers that the caller sees. On a bare thread they may be the root's while a scope of variables is bound.
    package static var currentLayers: (any AnyObject & Sendable)? {
        if let layers = self.bound?.layers { return layers }
        return ExecutionID.isInTask ? nil : ThreadState.existing?.root?.layers
    }

    /// The root scope of a bare thread, made on demand; `nil` in a task, which has none.
    package static func threadRoot(for caller: ExecutionID) -> Scope? {
        guard !caller.isTask else { return nil }
        let thread = ThreadState.current
        if let root = thread.root { return root }
        let root = Scope(owner: caller, branch: VariableBranch(), unit: thread.worker.currentUnit(), layers: nil)
        thread.root = root
        return root
    }

    /// Gives the root of a bare thread its layers. Variables and unit stay what they are.
    package static func setThreadRootLayers(_ layers: any AnyObject & Sendable, for caller: ExecutionID) -> Scope? {
        guard let root = self.threadRoot(for: caller) else { return nil }
        let replacement = Scope(owner: caller, branch: root.branch, unit: root.unit, layers: layers)
        ThreadState.current.root = replacement
        return replacement
    }

    /// Releases the root of the bare thread that calls.
    package static func clearThreadRoot() {
        ThreadState.existing?.root = nil
    }

    /// The unit of work that the caller is in.
    package var unit: WorkUnit? {
        if self.pushedCount.load(ordering: .acquiring) == 0 { return self.baseUnit }
        guard self.owner == ExecutionID.current else { return self.baseUnit }
        return self.pushedUnits.withLock { $0.last } ?? self.baseUnit
    }

    /// Makes `unit` the current one for the owner, until it is removed.
    package func pushUnit(_ unit: WorkUnit) {
        self.pushedUnits.withLock { $0.append(unit) }
        self.pushedCount.add(1, ordering: .releasing)
    }

    /// Removes a unit that was pushed. Does nothing when it is not there.
    package func removeUnit(_ unit: WorkUnit) {
        let isRemoved = self.pushedUnits.withLock { units in
            guard let index = units.lastIndex(where: { $0 === unit }) else { return false }
            units.remove(at: index)
            return true
        }
        if isRemoved { self.pushedCount.subtract(1, ordering: .releasing) }
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
