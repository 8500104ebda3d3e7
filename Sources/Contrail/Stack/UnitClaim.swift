// The unit of work that a context takes for itself, and gives back when it ends.

internal import ContextVariables

/// A unit of work that ends with the context it was taken for, or one that merely goes on around it.
struct UnitClaim: Sendable {
    /// The unit at the time of the claim.
    let unit: WorkUnit
    /// The worker that hosts the unit.
    let worker: Worker?
    /// Whether code in the context is in whatever unit the worker is in.
    let followsWorker: Bool
    /// What the worker did to give the unit; `nil` when it did not recycle.
    let recycling: Worker.Recycling?
    /// Whether the unit ends with the context.
    let isOwned: Bool

    private init(owning unit: WorkUnit, on worker: Worker? = nil, recycling: Worker.Recycling? = nil) {
        self.unit = unit
        self.worker = worker
        self.followsWorker = false
        self.recycling = recycling
        self.isOwned = true
    }

    private init(sharing unit: WorkUnit, on worker: Worker?) {
        self.unit = unit
        self.worker = worker
        self.followsWorker = false
        self.recycling = nil
        self.isOwned = false
    }

    private init(following worker: Worker) {
        self.unit = worker.currentUnit()
        self.worker = worker
        self.followsWorker = true
        self.recycling = nil
        self.isOwned = false
    }

    /// The unit that code in the context stays in; `nil` when it follows the worker.
    var ownUnit: WorkUnit? { self.followsWorker ? nil : self.unit }

    /// Takes the unit for a request: its worker recycles, unless the app says otherwise or the worker is inside a context,
    /// which goes on with its own unit.
    ///
    /// - Parameter isInside: Whether the request is pushed inside a context.
    static func forRequest(
        of app: App,
        worker: Worker?,
        in outer: Scope?,
        caller: ExecutionID,
        isInside: Bool
    ) -> UnitClaim {
        let threadWorker = caller.isTask ? nil : ThreadState.current.worker
        guard app.recyclesOnRequest else { return self.surrounding(worker ?? threadWorker, outer) }
        if worker == nil, let threadWorker, isInside || self.isHosted(outer, elsewhereThan: threadWorker) {
            // The contexts around it go on with theirs, whichever of them took the thread's.
            return UnitClaim(owning: WorkUnit(worker: outer?.unit?.worker ?? threadWorker.name))
        }
        if let worker = worker ?? threadWorker {
            let (unit, recycling) = worker.claimUnit(inside: isInside ? outer?.unit : nil)
            return UnitClaim(owning: unit, on: worker, recycling: recycling)
        }
        return UnitClaim(owning: outer?.unit.map { WorkUnit(worker: $0.worker) } ?? WorkUnit())
    }

    /// Whether the code around is in a unit of its own, or on a worker of its own as a hand-off is: whatever it pushes must
    /// not recycle the thread that happens to run it.
    private static func isHosted(_ outer: Scope?, elsewhereThan threadWorker: Worker) -> Bool {
        switch outer?.unitSource {
        case .own(let unit, _)?: !unit.isEnded
        case .following(let worker)?: worker !== threadWorker
        case nil: false
        }
    }

    /// Takes the unit for code that is not a request: the worker's, the one around it, or a new one.
    static func forApp(worker: Worker?, in outer: Scope?, caller: ExecutionID) -> UnitClaim {
        if let worker { return UnitClaim(following: worker) }
        return self.surrounding(caller.isTask ? nil : ThreadState.current.worker, outer)
    }

    private static func surrounding(_ worker: Worker?, _ outer: Scope?) -> UnitClaim {
        if let source = outer?.unitSource {
            switch source {
            case .own(let unit, let worker) where !unit.isEnded: return UnitClaim(sharing: unit, on: worker)
            case .following(let worker): return UnitClaim(following: worker)
            case .own: break
            }
        }
        return worker.map { UnitClaim(following: $0) } ?? UnitClaim(owning: WorkUnit())
    }

    /// Ends the unit and releases its values, if it was taken for the context.
    func release() {
        guard self.isOwned else { return }
        if let worker { worker.releaseUnit(self.unit) } else { self.unit.end() }
    }
}
