// Where code finds its unit of work: it has one of its own, or it follows a worker.

/// Where the code in a scope finds its unit of work.
package enum UnitSource: Sendable {
    /// In a unit that was taken for it, and that it stays in when it ends: a request's. The worker is the one that hosts it.
    case own(WorkUnit, on: Worker?)
    /// In whatever unit the worker is in, so that a recycle takes it to the next one at once.
    case following(Worker)

    /// The unit at this moment.
    package var unit: WorkUnit {
        switch self {
        case .own(let unit, _): unit
        case .following(let worker): worker.currentUnit()
        }
    }

    /// The worker, if there is one.
    package var worker: Worker? {
        switch self {
        case .own(_, let worker): worker
        case .following(let worker): worker
        }
    }
}
