// One unit of work: a request, job, command or test, with the recyclable values it owns.

private import Synchronization

/// A request, job, command or test: it owns its recyclable values and its epoch. Both hang on the scope, never on a thread.
package final class WorkUnit: Sendable {
    private struct State {
        var values: [VariableID: Slot] = [:]
        var isEnded = false
        var dropped = 0
        var lastTicket = 0
    }

    /// What a unit holds for one recyclable variable.
    private enum Slot: Sendable {
        case value(any Sendable)
        /// Somebody is loading it, known by a ticket; the others wait to be told that the slot is settled.
        case loading(ticket: Int, loader: ExecutionID, waiters: [CheckedContinuation<Void, Never>])
    }

    /// What a caller of `getOrLoad` finds.
    package enum Claim: Sendable {
        /// The value is there.
        case value(any Sendable)
        /// The caller must load it and call `settle` with the ticket.
        case load(ticket: Int)
        /// The caller itself is loading it, and would wait for itself.
        case loadsItself
        /// The unit has ended.
        case ended
    }

    package let epoch: Epoch
    package let worker: Worker.Name

    private let state: Mutex<State>

    package init(worker: Worker.Name) {
        self.epoch = Epoch.next()
        self.worker = worker
        self.state = Mutex(State())
    }

    /// A unit for code that runs in a task outside any worker. It is named after its epoch.
    package init() {
        self.epoch = Epoch.next()
        self.worker = Worker.Name(kind: "task", number: Int64(self.epoch.rawValue))
        self.state = Mutex(State())
    }

    private init(fork original: WorkUnit) {
        self.epoch = original.epoch
        self.worker = original.worker
        self.state = Mutex(
            original.state.withLock { state in
                var copy = State(isEnded: state.isEnded, dropped: 0)
                for case (let id, .value(let value)) in state.values { copy.values[id] = .value(value) }
                return copy
            }
        )
    }

    /// A branch with the same epoch and the same values, for a snapshot: what happens in one is not seen in the other.
    package func forked() -> WorkUnit {
        WorkUnit(fork: self)
    }

    package var isEnded: Bool {
        self.state.withLock { $0.isEnded }
    }

    package func value(of id: VariableID) -> (any Sendable)? {
        self.state.withLock { state in
            if case .value(let value)? = state.values[id] { value } else { nil }
        }
    }

    /// Stores a value. Returns false, and stores nothing, when the unit has ended.
    package func set(_ value: any Sendable, for id: VariableID) -> Bool {
        // The replaced value leaves the lock before it is released: it may run user code when it dies.
        let (isStored, old) = self.state.withLock { state -> (Bool, Slot?) in
            guard !state.isEnded else { return (false, nil) }
            return (true, state.values.updateValue(.value(value), forKey: id))
        }
        for waiter in Self.waiters(of: old) { waiter.resume() }
        return isStored
    }

    /// Removes a value, so that the next reader finds none, and disowns whoever is loading one. Does nothing when there is
    /// neither.
    package func remove(_ id: VariableID) {
        let old = self.state.withLock { $0.values.removeValue(forKey: id) }
        for waiter in Self.waiters(of: old) { waiter.resume() }
    }

    /// Finds the value, or makes the caller the one who loads it; waits while somebody else is loading.
    package func claim(_ id: VariableID) async -> Claim {
        while true {
            let claim = self.state.withLock { self.claim(id, &$0) }
            if let claim { return claim }
            await withCheckedContinuation { continuation in
                let isSettled = self.state.withLock { state in
                    guard case .loading(let ticket, let loader, let waiters)? = state.values[id] else { return true }
                    state.values[id] = .loading(ticket: ticket, loader: loader, waiters: waiters + [continuation])
                    return false
                }
                if isSettled { continuation.resume() }
            }
        }
    }

    /// Publishes what was loaded, or frees the slot for the next who asks when `value` is nil.
    ///
    /// Does nothing when the slot is no longer the ticket's: a value that was set in the meantime wins over the loaded one,
    /// and so does an `invalidate`, after which somebody else may be loading.
    package func settle(_ id: VariableID, ticket: Int, with value: (any Sendable)?) {
        let waiters = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            guard case .loading(ticket, _, let waiters)? = state.values[id] else { return [] }
            state.values[id] = value.map(Slot.value)
            return waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Ends the unit and releases its values. Returns how many it held; the same number on every later call.
    @discardableResult
    package func end() -> Int {
        // The old table leaves the lock before it is released: values may run user code when they die.
        let (dropped, old) = self.state.withLock { state -> (Int, [VariableID: Slot]) in
            guard !state.isEnded else { return (state.dropped, [:]) }
            state.isEnded = true
            let old = state.values
            state.values = [:]
            state.dropped = old.values.count { if case .value = $0 { true } else { false } }
            return (state.dropped, old)
        }
        for slot in old.values {
            for waiter in Self.waiters(of: slot) { waiter.resume() }
        }
        return dropped
    }

    private func claim(_ id: VariableID, _ state: inout State) -> Claim? {
        guard !state.isEnded else { return .ended }
        switch state.values[id] {
        case .value(let value)?: return .value(value)
        case .loading(_, let loader, _)?: return loader == ExecutionID.current ? .loadsItself : nil
        case nil:
            state.lastTicket += 1
            state.values[id] = .loading(ticket: state.lastTicket, loader: ExecutionID.current, waiters: [])
            return .load(ticket: state.lastTicket)
        }
    }

    private static func waiters(of slot: Slot?) -> [CheckedContinuation<Void, Never>] {
        if case .loading(_, _, let waiters)? = slot { waiters } else { [] }
    }
}
