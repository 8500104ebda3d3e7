// The one thing that is bound to a task or thread: it carries the variables, the unit and the context layers.

private import CTaskRuntime

/// What a `with…` call binds: an immutable base that every reader sees, and what its layers say of imperative pushes.
///
/// One task-local holds one reference to the innermost scope; a thread without a task has a root scope of its own.
@usableFromInline
package final class Scope: Sendable {
    @TaskLocal private static var binding: Scope?

    /// The runtime's key of the task-local, or nil when the runtime does not answer to it as expected: tried once, with a
    /// scope that nobody else sees.
    ///
    /// nonisolated(unsafe): a constant pointer to an object that lives as long as the process, and is never read through.
    private nonisolated(unsafe) static let key: UnsafeRawPointer? = {
        let key = UnsafeRawPointer(Unmanaged.passUnretained(Scope.$binding).toOpaque())
        let probe = Scope(owner: ExecutionID.current, branch: VariableBranch(), source: nil, layers: nil)
        let isFound = Scope.$binding.withValue(probe) {
            swift_task_localValueGet(key)?.assumingMemoryBound(to: Scope?.self).pointee === probe
        }
        return isFound ? key : nil
    }()

    /// The innermost scope of the caller's task, or of its synchronous caller on a bare thread.
    ///
    /// Read without the standard library's wrapper, which copies the value twice. What the runtime points to is an initialised
    /// `Scope?` for as long as it is bound, which is longer than this read: the binding ends in the caller's caller.
    private static var bound: Scope? {
        guard let key else { return self.binding }
        return swift_task_localValueGet(key)?.assumingMemoryBound(to: Scope?.self).pointee
    }

    /// The task or thread that may push and set here.
    package let owner: ExecutionID
    /// The values of context variables.
    package let branch: VariableBranch

    /// The layers that the scope was made with. A scope that was made without has a slot for them.
    private let givenLayers: (any ScopeLayers)?
    private let slot: LayerSlot?
    /// The unit of the scope; of a scope that follows its worker, the one at the beginning, which most often is still it.
    private let baseUnit: WorkUnit?
    private let baseWorker: Worker?
    private let followsWorker: Bool
    /// How many of the layers' pushes are older than this scope's unit and do not change it.
    private let pushFloor: Int

    /// A scope whose unit is this one for as long as it lives, on no worker.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch,
        unit: WorkUnit?,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(
            owner: owner,
            branch: branch,
            source: unit.map { .own($0, on: nil) },
            layers: layers,
            slot: nil,
            pushFloor: pushFloor
        )
    }

    /// A scope that follows a worker: after a recycle it is in the worker's new unit at once.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch,
        worker: Worker,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(
            owner: owner,
            branch: branch,
            source: .following(worker),
            layers: layers,
            slot: nil,
            pushFloor: pushFloor
        )
    }

    /// A scope that finds its unit as `source` says.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch,
        source: UnitSource?,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(owner: owner, branch: branch, source: source, layers: layers, slot: nil, pushFloor: pushFloor)
    }

    /// A scope that finds its unit as `source` says, with a slot that others share.
    convenience init(owner: ExecutionID, branch: VariableBranch, source: UnitSource?, slot: LayerSlot) {
        self.init(owner: owner, branch: branch, source: source, layers: nil, slot: slot, pushFloor: 0)
    }

    private init(
        owner: ExecutionID,
        branch: VariableBranch,
        source: UnitSource?,
        layers: (any ScopeLayers)?,
        slot: LayerSlot?,
        pushFloor: Int
    ) {
        self.owner = owner
        self.branch = branch
        self.givenLayers = layers
        self.slot = layers == nil ? slot ?? LayerSlot() : nil
        self.pushFloor = pushFloor
        switch source {
        case .own(let unit, let worker)?:
            self.baseUnit = unit
            self.baseWorker = worker
            self.followsWorker = false
        case .following(let worker)?:
            self.baseUnit = worker.startedUnit
            self.baseWorker = worker
            self.followsWorker = true
        case nil:
            self.baseUnit = nil
            self.baseWorker = nil
            self.followsWorker = false
        }
    }

    /// A scope of variables for the caller, with the unit and layers around it, and a fork of the variables around it.
    package static func forking() -> Scope {
        let caller = ExecutionID.current
        let outer = self.around(caller)
        return Scope(
            owner: caller,
            branch: outer?.branch.forked() ?? VariableBranch(),
            source: outer?.baseSource,
            layers: outer?.layersToShare(with: caller),
            slot: outer?.owner == caller ? outer?.slot : nil,
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

    // MARK: - Layers

    /// The context layers, if the scope has any yet.
    package var layers: (any ScopeLayers)? { self.givenLayers ?? self.slot?.layers }

    /// The context layers that the caller sees.
    package static var currentLayers: (any ScopeLayers)? { self.current?.layers }

    /// Gives the innermost scope its layers, once, for the first push in it. Returns the scope; `nil` when the caller has no
    /// Gives the innermost scope its layers, once, for the first push in it. Returns the scope; `nil` when the caller has no
    /// scope that it owns, or when that one has layers already.
    ///
    /// A scope of variables shares the layers of what it is nested in: the push outlives it. A snapshot keeps them for its next
    /// run, a bare thread until it ends.
    package static func setLayers(_ layers: any ScopeLayers, for caller: ExecutionID) -> Scope? {
        guard let scope = self.around(caller), scope.owner == caller else { return nil }
        return scope.slot?.fill(layers) == true ? scope : nil
    }

    /// Layers that a scope of `caller` inside this one shares. A slot that is still empty is shared with the owner alone:
    /// nobody else may push into it.
    private func layersToShare(with caller: ExecutionID) -> (any ScopeLayers)? {
        self.owner == caller ? self.givenLayers : self.layers
    }

    // MARK: - Threads

    /// The root scope of a bare thread, made on demand; `nil` in a task, which has none.
    package static func threadRoot(for caller: ExecutionID) -> Scope? {
        guard !caller.isTask else { return nil }
        let thread = ThreadState.current
        if let root = thread.root { return root }
        let root = Scope(owner: caller, branch: VariableBranch(), worker: thread.worker, layers: nil)
        thread.root = root
        return root
    }

    /// Gives the root of a bare thread its layers, once. Variables and unit stay what they are. Returns nil in a task, and
    /// when the root has layers already.
    package static func setThreadRootLayers(_ layers: any ScopeLayers, for caller: ExecutionID) -> Scope? {
        guard let root = self.threadRoot(for: caller), root.slot?.fill(layers) == true else { return nil }
        return root
    }

    /// The root of the bare thread that calls, unless another scope hides it.
    package static var threadRootInSight: Scope? {
        self.bound == nil ? ThreadState.existing?.root : nil
    }

    /// The thread that calls, when these are the variables of its root: they outlive the work that sets them.
    static func threadWhoseRoot(holds branch: VariableBranch) -> ThreadState? {
        guard let thread = ThreadState.existing, let root = thread.root, root.branch === branch else { return nil }
        return thread
    }

    /// Releases the root of the bare thread that calls.
    package static func clearThreadRoot() {
        ThreadState.existing?.root = nil
    }

    // MARK: - Units

    /// The unit of work that the caller is in.
    package var unit: WorkUnit? {
        self.pushedUnit ?? self.ownUnit
    }

    /// Where a scope nested in this one finds its unit, if it does not bring one along.
    package var unitSource: UnitSource? {
        if let pushed = self.pushedUnit { return .own(pushed, on: self.baseWorker) }
        return self.baseSource
    }

    /// The worker of the scope.
    package var worker: Worker? { self.baseWorker }

    private var baseSource: UnitSource? {
        if self.followsWorker { return self.baseWorker.map { .following($0) } }
        return self.baseUnit.map { .own($0, on: self.baseWorker) }
    }

    private var ownUnit: WorkUnit? {
        guard self.followsWorker, let worker = self.baseWorker else { return self.baseUnit }
        // No lock for as long as the worker has not recycled since the scope began.
        if let unit = self.baseUnit, worker.isIn(unit) { return unit }
        return worker.currentUnit()
    }

    /// Reads the caller's value of a context variable, if there is one.
    @usableFromInline
    static func readCurrent(_ id: VariableID, _ reader: BoxReader) {
        if let bound {
            bound.borrowedBranch._withUnsafeGuaranteedRef { $0.read(id, reader) }
        } else if !ExecutionID.isInTask {
            ThreadState.existing?.root?.branch.read(id, reader)
        }
    }

    /// Reads the caller's value of a recyclable variable, if there is one.
    static func readCurrentUnit(_ id: VariableID, _ reader: BoxReader) {
        if let bound {
            bound.readUnit(id, reader)
        } else {
            self.currentUnit?.read(id, reader)
        }
    }

    private func readUnit(_ id: VariableID, _ reader: BoxReader) {
        if let pushed = self.pushedUnit {
            pushed.read(id, reader)
        } else if !self.followsWorker || self.isInBaseUnit {
            self.borrowedUnit?._withUnsafeGuaranteedRef { _ = $0.read(id, reader) }
        } else {
            self.ownUnit?.read(id, reader)
        }
    }

    // The references below are borrowed from this scope's constants for the length of a read, in which the caller holds the
    // scope: a reference counted up and down costs as much as the read itself.

    @inline(__always)
    private var borrowedUnit: Unmanaged<WorkUnit>? {
        self.baseUnit.map { Unmanaged.passUnretained($0) }
    }

    @inline(__always)
    private var borrowedWorker: Unmanaged<Worker>? {
        self.baseWorker.map { Unmanaged.passUnretained($0) }
    }

    @inline(__always)
    private var borrowedBranch: Unmanaged<VariableBranch> { Unmanaged.passUnretained(self.branch) }

    /// Whether the worker is still in the unit that it was in when the scope began.
    @inline(__always)
    private var isInBaseUnit: Bool {
        guard let unit = self.borrowedUnit, let worker = self.borrowedWorker else { return false }
        return worker._withUnsafeGuaranteedRef { worker in unit._withUnsafeGuaranteedRef { worker.isIn($0) } }
    }

    /// The unit of a request that was pushed here.
    @inline(__always)
    private var pushedUnit: WorkUnit? {
        if let givenLayers { return givenLayers.pushedUnit(above: self.pushFloor) }
        return self.slot?.layers?.pushedUnit(above: self.pushFloor)
    }

    /// The unit that the caller reads recyclable values in. On a bare thread it is the thread's own.
    static var currentUnit: WorkUnit? {
        if let bound { return bound.unit }
        guard !ExecutionID.isInTask, let thread = ThreadState.existing else { return nil }
        return thread.root?.unit ?? thread.worker.startedUnit
    }

    /// The unit that the caller sets recyclable values in. A bare thread begins one on demand.
    static func unitToSetIn() -> WorkUnit? {
        if let bound { return bound.unit }
        if ExecutionID.isInTask { return nil }
        let thread = ThreadState.current
        return thread.root?.unit ?? thread.worker.currentUnit()
    }

    /// The unit that a scope or a pushed context around the caller is using, so that it must not be recycled under it.
    static var unitInUse: WorkUnit? {
        if let bound { return bound.unit }
        guard !ExecutionID.isInTask, let root = ThreadState.existing?.root, root.layers?.pushCount ?? 0 > 0 else {
            return nil
        }
        return root.unit
    }

    // MARK: - Running

    /// Runs the closure with this scope bound.
    package func run<Result, Failure: Error>(
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            return try Scope.$binding.withValue(self) { try operation() }
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
            return try await Scope.$binding.withValue(self) { try await operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            throw error as! Failure
        }
    }
}
