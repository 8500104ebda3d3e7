// The unit of work that a context takes for itself, and gives back when it ends.

internal import ContextVariables

/// A unit of work that ends with the context it was taken for, or one that merely goes on around it.
struct UnitClaim: Sendable {
    let unit: WorkUnit
    /// What the worker did to give the unit; `nil` when it did not recycle.
    let recycling: Worker.Recycling?

    private let worker: Worker?
    private let isOwned: Bool

    private init(_ unit: WorkUnit, worker: Worker? = nil, isOwned: Bool, recycling: Worker.Recycling? = nil) {
        self.unit = unit
        self.worker = worker
        self.isOwned = isOwned
        self.recycling = recycling
    }

    /// Takes the unit for a request: its worker recycles, unless the app says otherwise or the worker is inside a context,
    /// which goes on with its own unit.
    static func forRequest(of app: App, worker: Worker?, in outer: Scope?, caller: ExecutionID) -> UnitClaim {
        let threadWorker = caller.isTask ? nil : ThreadState.current.worker
        guard app.recyclesOnRequest else { return self.surrounding(worker ?? threadWorker, outer) }
        let isInside = ContextLayers.inheritable?.visible.app != nil
        if worker == nil, isInside, let threadWorker {
            // The contexts around it go on with theirs, whichever of them took the thread's.
            return UnitClaim(WorkUnit(worker: outer?.unit?.worker ?? threadWorker.name), isOwned: true)
        }
        if let worker = worker ?? threadWorker {
            let (unit, recycling) = worker.claimUnit(inside: isInside ? outer?.unit : nil)
            return UnitClaim(unit, worker: worker, isOwned: true, recycling: recycling)
        }
        return UnitClaim(outer?.unit.map { WorkUnit(worker: $0.worker) } ?? WorkUnit(), isOwned: true)
    }

    /// Takes the unit for code that is not a request: the worker's, the one around it, or a new one.
    static func forApp(worker: Worker?, in outer: Scope?, caller: ExecutionID) -> UnitClaim {
        if let worker { return UnitClaim(worker.currentUnit(), isOwned: false) }
        return self.surrounding(caller.isTask ? nil : ThreadState.current.worker, outer)
    }

    private static func surrounding(_ worker: Worker?, _ outer: Scope?) -> UnitClaim {
        if let unit = outer?.unit, !unit.isEnded { return UnitClaim(unit, isOwned: false) }
        if let worker { return UnitClaim(worker.currentUnit(), isOwned: false) }
        return UnitClaim(WorkUnit(), isOwned: true)
    }

    /// Ends the unit and releases its values, if it was taken for the context.
    func release() {
        guard self.isOwned else { return }
        if let worker { worker.releaseUnit(self.unit) } else { self.unit.end() }
    }
}
