// One unit of work: a request, job, command or test, with the recyclable values it owns.

private import Synchronization

/// A request, job, command or test: it owns its recyclable values and its epoch. Both hang on the scope, never on a thread.
@usableFromInline
package final class WorkUnit: Sendable {
    private struct State {
        var values = VariableTable<Kept>()
        var loads = VariableTable<Load>()
        var dropped = 0
        var lastTicket = 0
    }

    /// A value and the variable it is kept for.
    fileprivate struct Kept: Sendable {
        let box: ValueBox
        let variable: RecyclableIdentity
        /// Where it was set, of a variable whose value may survive the first recycle.
        var origin: SetOrigin?

        var isHandedOff: Bool { self.variable.policy.handOff == .inherited }
        var survivesFirstRecycle: Bool { self.variable.policy.bootValues == .surviveFirstRecycle }
    }

    /// Where a value was set that may survive the first recycle, and the unit that it has survived.
    fileprivate final class SetOrigin: Sendable {
        let place: SetPlace
        let survived: Epoch?

        init(_ place: SetPlace, survived: Epoch?) {
            self.place = place
            self.survived = survived
        }
    }

    /// Somebody is loading a value, known by a ticket; the others wait to be told that it is settled.
    private struct Load: Sendable {
        let ticket: Int
        let loader: ExecutionID
        var waiters: [CheckedContinuation<Void, Never>] = []

        func wakeAll() {
            for waiter in self.waiters { waiter.resume() }
        }
    }

    /// What a caller of `getOrLoad` finds.
    enum Claim: Sendable {
        /// The value is there.
        case value(ValueBox)
        /// The caller must load it and call `settle` with the ticket.
        case load(ticket: Int)
        /// The caller itself is loading it, and would wait for itself.
        case loadsItself
        /// The unit has ended.
        case ended
    }

    package let epoch: Epoch
    package let worker: Worker.Name

    /// Whether no recycle came before this unit: what the first recycle lets survive is set in such a one.
    let isFirst: Bool

    private let state: BriefLock<State>
    /// Written under the lock only.
    private let ended: Atomic<Bool>

    /// A unit of a worker that has had others, or that is nested in another.
    package convenience init(worker: Worker.Name) {
        self.init(Epoch.next(), worker, isFirst: false, isEnded: false, values: VariableTable())
    }

    /// A unit for code that runs in a task outside any worker. It is named after its epoch.
    package convenience init() {
        self.init(Label(inTask: Epoch.next()), isEnded: false)
    }

    /// The unit of a label that was given before anybody asked for the unit itself.
    ///
    /// - Parameter isEnded: Whether it is over already: who asks is told so, and nothing can be set in it.
    package convenience init(_ label: Label, isEnded: Bool) {
        self.init(label.epoch, label.worker, isFirst: true, isEnded: isEnded, values: VariableTable())
    }

    /// What the trail knows of a unit.
    package struct Label: Sendable {
        package let epoch: Epoch
        package let worker: Worker.Name

        package init(epoch: Epoch, worker: Worker.Name) {
            self.epoch = epoch
            self.worker = worker
        }

        /// Of a unit for code that runs in a task outside any worker: it is named after its epoch.
        package init(inTask epoch: Epoch) {
            self.epoch = epoch
            self.worker = Worker.Name(kind: Self.taskKind, number: Int64(clamping: epoch.rawValue))
        }

        /// The kind of worker that such code is said to be on.
        package static var taskKind: String { "task" }
    }

    /// What the trail knows of the unit.
    package var label: Label { Label(epoch: self.epoch, worker: self.worker) }

    private init(
        _ epoch: Epoch,
        _ worker: Worker.Name,
        isFirst: Bool,
        isEnded: Bool,
        values: VariableTable<Kept>
    ) {
        self.epoch = epoch
        self.worker = worker
        self.isFirst = isFirst
        self.ended = Atomic(isEnded)
        self.state = BriefLock(State(values: values))
    }

    /// The first unit of a worker.
    static func first(of worker: Worker.Name) -> WorkUnit {
        WorkUnit(Epoch.next(), worker, isFirst: true, isEnded: false, values: VariableTable())
    }

    /// A branch with the same epoch and the same values, for a snapshot: what happens in one is not seen in the other. Values
    /// of variables that withhold them from hand-offs are left out.
    package func forked() -> WorkUnit {
        let (values, isEnded) = self.state.withLock { ($0.values, self.isEnded) }
        return WorkUnit(
            self.epoch,
            self.worker,
            isFirst: self.isFirst,
            isEnded: isEnded,
            values: values.filter { $0.isHandedOff }
        )
    }

    /// The unit that follows this one on its worker. After a first unit it begins with what survives the first recycle.
    func successor() -> Successor {
        guard self.isFirst else { return Successor(unit: WorkUnit(worker: self.worker)) }
        let all = self.state.withLock { $0.values }
        let values = all.filter { $0.survivesFirstRecycle }
            .mapValues { kept in
                let origin = kept.origin.map { SetOrigin($0.place, survived: self.epoch) }
                return Kept(box: kept.box, variable: kept.variable, origin: origin)
            }
        let unit = WorkUnit(Epoch.next(), self.worker, isFirst: false, isEnded: false, values: values)
        return Successor(unit: unit, looked: all)
    }

    /// A unit that follows another.
    struct Successor: Sendable {
        let unit: WorkUnit
        /// What was looked through for it. If the other unit ends meanwhile these are the last references: whoever asks under a
        /// lock lets go of them outside.
        private let looked: VariableTable<Kept>?

        init(unit: WorkUnit) { self.init(unit: unit, looked: nil) }

        fileprivate init(unit: WorkUnit, looked: VariableTable<Kept>?) {
            self.unit = unit
            self.looked = looked
        }
    }

    package var isEnded: Bool { self.ended.load(ordering: .acquiring) }

    // MARK: - Values

    /// Whether there is a value.
    func contains(_ id: VariableID) -> Bool {
        self.state.withLock { $0.values.place(of: id) != nil }
    }

    /// Reads the value of a variable. Returns whether there is one.
    @inline(never)
    @discardableResult
    func read(_ id: VariableID, _ reader: BoxReader) -> Bool {
        self.state.withLock { state in
            guard let address = state.values.address(of: id, { $0.box }) else { return false }
            reader(address)
            return true
        }
    }

    /// Says where the value of a variable was set, if it survived the first recycle and nobody has asked yet.
    func takeSurvivor(_ id: VariableID) -> (epoch: Epoch, place: SetPlace)? {
        self.state.withLock { state in
            guard let kept = state.values[id], let origin = kept.origin, let epoch = origin.survived else { return nil }
            // The same box under the same name: nothing of the user's dies here.
            _ = state.values.exchange(Kept(box: kept.box, variable: kept.variable), for: id)
            return (epoch, origin.place)
        }
    }

    /// Stores a value. Returns false, and stores nothing, when the unit has ended.
    func set(_ box: ValueBox, for variable: RecyclableIdentity, at place: SetPlace? = nil) -> Bool {
        // The replaced value leaves the lock before it is released: it may run user code when it dies.
        let origin = place.map { SetOrigin($0, survived: nil) }
        let (isStored, old, load) = self.state.withLock { state -> (Bool, Kept?, Load?) in
            guard !self.isEnded else { return (false, nil, nil) }
            let old = state.values.exchange(Kept(box: box, variable: variable, origin: origin), for: variable.id)
            return (true, old, state.loads.exchange(nil, for: variable.id))
        }
        _ = consume old
        load?.wakeAll()
        return isStored
    }

    /// Removes a value, so that the next reader finds none, and disowns whoever is loading one. Does nothing when there is
    /// neither.
    func remove(_ id: VariableID) {
        let (old, load) = self.state.withLock { state in
            (state.values.exchange(nil, for: id), state.loads.exchange(nil, for: id))
        }
        _ = consume old
        load?.wakeAll()
    }

    // MARK: - Loading

    /// Finds the value, or makes the caller the one who loads it; waits while somebody else is loading.
    nonisolated(nonsending) func claim(_ id: VariableID) async -> Claim {
        let caller = ExecutionID.current
        while true {
            let claim = self.state.withLock { self.claim(id, by: caller, &$0) }
            if let claim { return claim }
            await withCheckedContinuation { continuation in
                let isSettled = self.state.withLock { state in
                    guard var load = state.loads[id] else { return true }
                    load.waiters.append(continuation)
                    _ = state.loads.exchange(load, for: id)
                    return false
                }
                if isSettled { continuation.resume() }
            }
        }
    }

    /// Publishes what was loaded, or lets the next who asks load it when `box` is nil.
    ///
    /// Does nothing, and returns false, when the load is no longer the ticket's: a value that was set in the meantime wins over
    /// the loaded one, and so does an `invalidate`, after which somebody else may be loading.
    @discardableResult
    func settle(_ ticket: Int, with box: ValueBox?, for variable: RecyclableIdentity) -> Bool {
        let load = self.state.withLock { state -> Load? in
            guard let load = state.loads[variable.id], load.ticket == ticket else { return nil }
            _ = state.loads.exchange(nil, for: variable.id)
            if let box { _ = state.values.exchange(Kept(box: box, variable: variable), for: variable.id) }
            return load
        }
        load?.wakeAll()
        return load != nil
    }

    private func claim(_ id: VariableID, by caller: ExecutionID, _ state: inout State) -> Claim? {
        guard !self.isEnded else { return .ended }
        if let kept = state.values[id] { return .value(kept.box) }
        if let load = state.loads[id] { return load.loader == caller ? .loadsItself : nil }
        state.lastTicket += 1
        _ = state.loads.exchange(Load(ticket: state.lastTicket, loader: caller), for: id)
        return .load(ticket: state.lastTicket)
    }

    // MARK: - Ending

    /// Ends the unit and releases its values. Returns how many it held; the same number on every later call.
    @discardableResult
    package func end() -> Int {
        self.end(carriesOver: false)
    }

    /// Ends the unit and releases its values.
    ///
    /// - Parameter carriesOver: Whether a recycle is what ends it, so that values its successor has are not counted.
    func end(carriesOver: Bool) -> Int {
        let survives = carriesOver && self.isFirst
        // The old tables leave the lock before they are released: values may run user code when they die.
        let (dropped, old) = self.state.withLock { state -> (Int, State?) in
            guard !self.isEnded else { return (state.dropped, nil) }
            self.ended.store(true, ordering: .releasing)
            // Most units never had a value.
            guard !state.values.isEmpty || !state.loads.isEmpty else { return (0, nil) }
            let old = state
            state = State(lastTicket: old.lastTicket)
            state.dropped = old.values.count
            if survives { old.values.forEach { if $0.survivesFirstRecycle { state.dropped -= 1 } } }
            return (state.dropped, old)
        }
        guard let old else { return dropped }
        old.loads.forEach { $0.wakeAll() }
        old.values.forEach { kept in
            if kept.variable.logs, !(survives && kept.survivesFirstRecycle) {
                kept.variable.logRecycle(epoch: self.epoch)
            }
        }
        return dropped
    }
}
