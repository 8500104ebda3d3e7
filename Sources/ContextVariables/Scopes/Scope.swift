// The one thing that is bound to a task or thread: it carries the variables, the unit and the context layers.

private import CTaskRuntime
package import Synchronization

/// What is bound to a task or thread. Of no use outside the package.
package typealias Scope = _Scope

/// What a `with…` call binds: an immutable base that every reader sees, and what its layers say of imperative pushes.
///
/// One task-local holds one reference to the innermost scope; a thread without a task has a root scope of its own. Variables
/// and unit are made when somebody asks for them, which in most scopes nobody does.
///
/// It is open because the room above derives from it, so that a scope and its layers are one object.
///
/// @unchecked Sendable: the compiler cannot check a class that others derive from. Its fields are constants and atomics, and so
/// are those of the classes that derive from it.
open class _Scope: @unchecked Sendable {
    /// What is bound. Written out, because the room above binds too, and a macro's storage is nobody else's.
    package static let storage = TaskLocal<Scope?>(wrappedValue: nil)

    /// What the runtime is called with, or nil when it does not answer as expected: tried once, with a scope that nobody else sees.
    private static let triedRuntime: Runtime? = {
        let runtime = Runtime(
            key: UnsafeRawPointer(Unmanaged.passUnretained(Scope.storage).toOpaque()),
            // What is bound is never nil, and a reference is moved and released faster than one that may be.
            type: unsafeBitCast(Scope.self as Any.Type, to: UnsafeRawPointer.self)
        )
        let probe = Scope(owner: ExecutionID.current, branch: nil, source: nil, layers: nil)
        let isFound = Scope.storage.withValue(probe) {
            swift_task_localValueGet(runtime.key)?.assumingMemoryBound(to: Scope?.self).pointee === probe
        }
        guard isFound else { return nil }
        Scope.bind(Unmanaged.passRetained(probe), runtime)
        defer { Scope.unbind() }
        guard Scope.storage.get() === probe else { return nil }
        contrail_binding_set(runtime.key, runtime.type)
        return runtime
    }()

    @inline(__always)
    private static var runtime: Runtime? {
        guard let key = contrail_binding_key() else { return self.triedRuntime }
        return Runtime(key: key, type: contrail_binding_type())
    }

    /// The key of the task-local, and the description of what is bound under it.
    ///
    /// @unchecked Sendable: constant pointers to what lives as long as the process and is never read through here.
    private struct Runtime: @unchecked Sendable {
        let key: UnsafeRawPointer
        let type: UnsafeRawPointer
    }

    /// The innermost scope of the caller's task, or of its synchronous caller on a bare thread, to be borrowed by a caller that does
    /// not suspend meanwhile; nil where none is bound, be it that the thread has a root.
    ///
    /// Read without the standard library's wrapper, which copies the value twice. What the runtime points to is an initialised
    /// `Scope?` for as long as it is bound, which is longer than what the reader does with it: the binding ends in the caller's
    /// caller.
    @inline(__always)
    package static var borrowed: Unmanaged<Scope>? {
        guard let runtime else { return self.storage.get().map { Unmanaged.passUnretained($0) } }
        return swift_task_localValueGet(runtime.key).flatMap { UnsafeRawPointer($0).load(as: Unmanaged<Scope>?.self) }
    }

    private static var bound: Scope? { self.borrowed?.takeUnretainedValue() }

    /// The task or thread that may push and set here.
    package final let owner: ExecutionID

    private final let ownBranch: OnDemand<VariableBranch>

    /// The layers that the scope was made with, or the place for them. A scope that is its own layers has none.
    private final let ownSlot: OnDemand<LayerSlot>
    /// What the scope is, if it is its own layers.
    private final let ownKind: (any OwnLayers.Type)?
    /// How many imperative pushes there are, in a scope that is its own layers.
    package final let pushCounter = Atomic<Int>(0)

    /// The unit of the scope; of a scope that follows its worker the one that was first asked for, which most often is still it.
    private final let baseUnit: OnDemand<WorkUnit>
    private final let keptWorker: OnDemand<Worker>
    private final let followsWorker: Bool
    /// How many of the layers' pushes are older than this scope's unit and do not change it.
    private final let pushFloor: Int

    /// A scope whose unit is this one for as long as it lives, on no worker.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch?,
        unit: WorkUnit?,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(
            owner: owner,
            branch: branch,
            source: unit.map { .own($0, on: nil) },
            slot: LayerSlot(layers),
            pushFloor: pushFloor
        )
    }

    /// A scope that follows a worker: after a recycle it is in the worker's new unit at once.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch?,
        worker: Worker,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(
            owner: owner,
            branch: branch,
            source: .following(worker),
            slot: LayerSlot(layers),
            pushFloor: pushFloor
        )
    }

    /// A scope that finds its unit as `source` says.
    package convenience init(
        owner: ExecutionID,
        branch: VariableBranch?,
        source: UnitSource?,
        layers: (any ScopeLayers)?,
        pushFloor: Int = 0
    ) {
        self.init(owner: owner, branch: branch, source: source, slot: LayerSlot(layers), pushFloor: pushFloor)
    }

    /// A scope that finds its unit as `source` says, with a slot that others share.
    init(owner: ExecutionID, branch: VariableBranch?, source: UnitSource?, slot: LayerSlot, pushFloor: Int = 0) {
        self.owner = owner
        self.ownBranch = OnDemand(branch)
        self.ownKind = nil
        self.ownSlot = OnDemand(slot)
        self.pushFloor = pushFloor
        switch source {
        case .own(let unit, let worker)?:
            self.baseUnit = OnDemand(unit)
            self.keptWorker = OnDemand(worker)
            self.followsWorker = false
        case .following(let worker)?:
            self.baseUnit = OnDemand()
            self.keptWorker = OnDemand(worker)
            self.followsWorker = true
        case nil:
            self.baseUnit = OnDemand()
            self.keptWorker = OnDemand()
            self.followsWorker = false
        }
    }

    /// A scope of a class that derives from this one. Without a unit, it asks its layers for one.
    ///
    /// - Parameter kind: The class, if such a scope is its own layers.
    package init(
        owner: ExecutionID,
        branch: VariableBranch?,
        unit: WorkUnit?,
        worker: Worker?,
        followsWorker: Bool,
        kind: (any OwnLayers.Type)?
    ) {
        self.owner = owner
        self.ownKind = kind
        self.ownBranch = OnDemand(branch)
        self.ownSlot = OnDemand()
        self.pushFloor = 0
        self.baseUnit = OnDemand(unit)
        self.keptWorker = OnDemand(worker)
        self.followsWorker = followsWorker
    }

    /// A scope of a class that derives from this one, with nothing around it. It follows the worker; without one it asks its layers
    /// for a unit.
    package init(owner: ExecutionID, following worker: consuming Worker?, kind: any OwnLayers.Type) {
        self.owner = owner
        self.ownKind = kind
        self.ownBranch = OnDemand()
        self.ownSlot = OnDemand()
        self.pushFloor = 0
        self.baseUnit = OnDemand()
        self.followsWorker = worker != nil
        self.keptWorker = OnDemand(worker)
    }

    /// A scope of variables for the caller, with the unit and layers around it, and a fork of the variables around it.
    package static func forking() -> Scope {
        let caller = ExecutionID.current
        let outer = self.around(caller)
        return Scope(
            owner: caller,
            branch: outer?.forkedBranch,
            source: outer?.baseSource,
            slot: outer?.slotToShare(with: caller) ?? LayerSlot(),
            pushFloor: outer?.pushFloor ?? 0
        )
    }

    /// The innermost scope of the caller; on a bare thread its root, if anything was ever pushed or set there.
    package static var current: Scope? {
        if let bound { return bound }
        return ExecutionID.isInTask ? nil : ThreadState.root
    }

    /// Whether the caller is in no scope at all.
    @inline(__always)
    package static func isNothingAround(_ caller: ExecutionID) -> Bool {
        self.borrowed == nil && (caller.isTask || ThreadState.root == nil)
    }

    /// The same for a caller that knows who it is.
    @inline(__always)
    package static func current(of caller: ExecutionID) -> Scope? {
        if let bound { return bound }
        return caller.isTask ? nil : ThreadState.root
    }

    /// The scope in which the caller opens another: the innermost one; on a bare thread at least its root.
    package static func around(_ caller: ExecutionID) -> Scope? {
        self.bound ?? self.threadRoot(for: caller)
    }

    // MARK: - Variables

    /// The values of context variables, made when they are first asked for.
    package final var branch: VariableBranch { self.ownBranch.object ?? self.ownBranch.store(VariableBranch()) }

    /// A fork of the values, if there ever were any.
    package final var forkedBranch: VariableBranch? { self.ownBranch.object?.forked() }

    /// The variables that a scope of `owner` inside `outer` starts with: those of `outer` if `owner` owns it, else a fork; `nil`
    /// for none.
    package static func branch(for owner: ExecutionID, nestedIn outer: Scope?) -> VariableBranch? {
        guard let outer else { return nil }
        return outer.owner == owner ? outer.branch : outer.forkedBranch
    }

    /// Whether the variables are these.
    final func holds(_ branch: VariableBranch) -> Bool { self.ownBranch.object === branch }

    /// Whether the variable has a value.
    final func contains(_ id: VariableID) -> Bool { self.ownBranch.object?.contains(id) ?? false }

    // MARK: - Layers

    /// The context layers, if the scope has any yet.
    package final var layers: (any ScopeLayers)? { self.ownLayers ?? self.slot?.layers }

    private final var slot: LayerSlot? { self.ownSlot.object }

    /// Whether the scope is its own layers.
    @inline(__always)
    package final var isOwnLayers: Bool { self.ownKind != nil }

    private final var ownLayers: (any ScopeLayers)? { self.ownKind.map { $0.layers(of: self) } }

    /// The context layers that the caller sees.
    package static var currentLayers: (any ScopeLayers)? { self.current?.layers }

    /// Gives the innermost scope its layers, once, for the first push in it. Returns the scope; `nil` when the caller has no
    /// scope that it owns, or when that one has layers already.
    ///
    /// A scope of variables shares the layers of what it is nested in: the push outlives it. A snapshot keeps them for its next
    /// run, a bare thread until it ends.
    package static func setLayers(_ layers: any ScopeLayers, for caller: ExecutionID) -> Scope? {
        guard let scope = self.around(caller), scope.owner == caller else { return nil }
        return scope.slot?.fill(layers) == true ? scope : nil
    }

    /// The place of layers that a scope of `caller` inside this one shares. One that is still empty is shared with the owner
    /// alone: nobody else may push into it.
    private final func slotToShare(with caller: ExecutionID) -> LayerSlot {
        if self.owner == caller, let slot { return slot }
        return LayerSlot(self.layers)
    }

    // MARK: - Threads

    /// The root scope of a bare thread, made on demand; `nil` in a task, which has none.
    package static func threadRoot(for caller: ExecutionID) -> Scope? {
        guard !caller.isTask else { return nil }
        let thread = ThreadState.current
        if let root = thread.root { return root }
        let root = Scope(owner: caller, branch: nil, worker: thread.worker, layers: nil)
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
        self.borrowed == nil ? ThreadState.root : nil
    }

    /// The thread that calls, when these are the variables of its root: they outlive the work that sets them.
    static func threadWhoseRoot(holds branch: VariableBranch) -> ThreadState? {
        guard let thread = ThreadState.existing, let root = thread.root, root.holds(branch) else { return nil }
        return thread
    }

    // MARK: - Units

    /// The unit of work that the caller is in.
    package final var unit: WorkUnit? {
        self.pushedUnit ?? self.ownUnit
    }

    /// Where a scope nested in this one finds its unit, if it does not bring one along.
    package final var unitSource: UnitSource? {
        if let pushed = self.pushedUnit { return .own(pushed, on: self.worker) }
        return self.baseSource
    }

    /// What the trail knows of the unit that the caller is in.
    package static var currentLabel: WorkUnit.Label? { self.withCurrentUnit { $0.label } }

    /// The epoch of that unit, which costs less.
    package static var currentEpoch: Epoch? { self.withCurrentUnit { $0.epoch } }

    @inline(__always)
    private static func withCurrentUnit<Result>(_ body: (WorkUnit) -> Result) -> Result? {
        guard let borrowed else { return self.current?.unit.map(body) }
        return borrowed._withUnsafeGuaranteedRef { $0.withUnit(body) }
    }

    /// Lends the unit, which need not be counted while it is the scope's own.
    @inline(__always)
    private final func withUnit<Result>(_ body: (WorkUnit) -> Result) -> Result? {
        if let pushed = self.pushedUnit { return body(pushed) }
        if let unit = self.baseUnit.borrowed, !self.followsWorker || self.isWorkerIn(unit) {
            // The scope holds what is stored there for as long as the caller holds the scope.
            return unit._withUnsafeGuaranteedRef(body)
        }
        return self.ownUnit.map(body)
    }

    /// The worker of the scope.
    package final var worker: Worker? { self.keptWorker.object }

    /// The unit of the scope itself, if anybody has asked for it or it was given.
    package final var madeUnit: WorkUnit? { self.baseUnit.object }

    /// Whether there is such a unit.
    package final var hasMadeUnit: Bool { self.baseUnit.borrowed != nil }

    private final var baseSource: UnitSource? {
        if self.followsWorker { return self.worker.map { .following($0) } }
        return self.ownUnit.map { .own($0, on: self.worker) }
    }

    private final var ownUnit: WorkUnit? {
        let unit = self.baseUnit.object
        guard self.followsWorker, let worker = self.worker else {
            return unit ?? self.ownLayers?.makeUnit().map { self.baseUnit.store($0) }
        }
        // No lock for as long as the worker has not recycled since the scope began.
        if let unit, worker.isIn(unit) { return unit }
        let current = worker.currentUnit()
        if unit == nil { _ = self.baseUnit.store(current) }
        return current
    }

    /// Reads the caller's value of a context variable, if there is one.
    static func readCurrent(_ id: VariableID, _ reader: BoxReader) {
        if let borrowed {
            borrowed._withUnsafeGuaranteedRef { scope in
                // The scope holds what is stored there for as long as the caller holds the scope.
                scope.ownBranch.borrowed?._withUnsafeGuaranteedRef { $0.read(id, reader) }
            }
        } else if !ExecutionID.isInTask, let root = ThreadState.root {
            root.ownBranch.borrowed?._withUnsafeGuaranteedRef { $0.read(id, reader) }
        }
    }

    /// Reads the caller's value of a recyclable variable, if there is one.
    static func readCurrentUnit(_ id: VariableID, _ reader: BoxReader) {
        if let borrowed {
            _ = borrowed._withUnsafeGuaranteedRef { $0.withUnit { $0.read(id, reader) } }
        } else {
            self.currentUnit?.read(id, reader)
        }
    }

    /// Whether the worker is still in the unit.
    @inline(__always)
    private final func isWorkerIn(_ unit: Unmanaged<WorkUnit>) -> Bool {
        // Borrowed from a constant of the scope, which the caller holds: counting it up and down costs as much as a read.
        guard let worker = self.keptWorker.borrowed else { return false }
        return worker._withUnsafeGuaranteedRef { worker in unit._withUnsafeGuaranteedRef { worker.isIn($0) } }
    }

    /// The unit of a request that was pushed here.
    @inline(__always)
    private final var pushedUnit: WorkUnit? {
        if self.isOwnLayers {
            return self.pushCounter.load(ordering: .acquiring) > self.pushFloor ? self.unitOfPush : nil
        }
        return self.slot?.layers?.pushedUnit(above: self.pushFloor)
    }

    @inline(never)
    private final var unitOfPush: WorkUnit? { self.ownLayers?.pushedUnit(above: self.pushFloor) }

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
        guard !ExecutionID.isInTask, let root = ThreadState.root, root.layers?.pushCount ?? 0 > 0 else {
            return nil
        }
        return root.unit
    }

    // MARK: - Running

    /// Runs the closure with this scope bound.
    ///
    /// The runtime is called without the standard library's wrapper, which costs as much again. A synchronous caller suspends
    /// nowhere in between, so that what the runtime allocates for the binding is freed in the order it asks for.
    package final func run<Result, Failure: Error>(
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let runtime = Self.runtime else { return try self.runWrapped(operation) }
        Self.bind(Unmanaged.passRetained(self), runtime)
        defer { swift_task_localValuePop() }
        return try operation()
    }

    private static func bind(_ counted: Unmanaged<Scope>, _ runtime: Runtime) {
        // The runtime takes over the count, and gives it back with the binding.
        var counted: Unmanaged<Scope>? = counted
        withUnsafeMutablePointer(to: &counted) { swift_task_localValuePush(runtime.key, $0, runtime.type) }
    }

    /// Binds a scope without a closure, until ``unbind()``. Returns false, and does nothing, where only ``run(_:)`` can.
    ///
    /// For a synchronous caller that undoes it on every way out.
    ///
    /// - Parameter counted: A scope with a count that the binding takes over: counting up and down twice costs a tenth of what a
    ///     context does.
    package static func bind(_ counted: Unmanaged<Scope>) -> Bool {
        guard let runtime = Self.runtime else { return false }
        self.bind(counted, runtime)
        return true
    }

    /// Undoes the last ``bind(_:)``, and releases the scope.
    package static func unbind() {
        swift_task_localValuePop()
    }

    private final func runWrapped<Result, Failure: Error>(
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do {
            return try Scope.storage.withValue(self) { try operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            throw error as! Failure
        }
    }

    /// Runs the closure with this scope bound, on the caller's actor.
    package final nonisolated(nonsending) func run<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        do {
            return try await Scope.storage.withValue(self) { try await operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            throw error as! Failure
        }
    }
}
