// Where the lifetime of a context finds its unit of work.

internal import ContextVariables

/// Where a lifetime finds its unit of work. One that nobody has asked for is not made.
enum UnitPlace: Sendable {
    case none
    /// In this one.
    case given(WorkUnit)
    /// In the one of this epoch that the worker was in. Unmanaged: the scope that made the first push holds the worker, and the pop
    /// of that push ends the lifetime or puts the unit itself here (``settle()``).
    case hosted(Unmanaged<Worker>, Epoch)
    /// In one of its own in a task, of which there is at most the number.
    case reserved(Epoch?)
    /// In one of its own in a task, which was over before anybody asked for it.
    case over(Epoch?)
    /// In the one that the lifetime of this context reserved, and its number, if it had one then: a request in that of an app
    /// context of its own. Asking locks that lifetime, never the other way round. Unmanaged, as above: the scope holds the context.
    case within(Unmanaged<AppContext>, Epoch?)

    init(_ unit: WorkUnit?) {
        self = unit.map { .given($0) } ?? .none
    }

    /// The unit, made now if need be.
    var unit: WorkUnit? {
        mutating get {
            switch self {
            case .none: return nil
            case .given(let unit): return unit
            case .hosted(let worker, let epoch): return worker._withUnsafeGuaranteedRef { $0.unit(of: epoch) }
            case .reserved(let epoch): return self.make(epoch, isEnded: false)
            case .over(let epoch): return self.make(epoch, isEnded: true)
            case .within(let context, _): return context._withUnsafeGuaranteedRef { $0.lifetime.reservedUnit() }
            }
        }
    }

    private mutating func make(_ epoch: Epoch?, isEnded: Bool) -> WorkUnit {
        let unit = WorkUnit(WorkUnit.Label(inTask: epoch ?? Epoch.next()), isEnded: isEnded)
        self = .given(unit)
        return unit
    }

    /// The number of the unit, if it has one.
    var epoch: Epoch? {
        switch self {
        case .none: nil
        case .given(let unit): unit.epoch
        case .hosted(_, let epoch): epoch
        case .reserved(let epoch), .over(let epoch), .within(_, let epoch): epoch
        }
    }

    /// The number of a unit in a task outside any worker, if it has one yet; nil also of any other unit.
    var taskEpoch: Epoch? {
        switch self {
        case .none, .given, .hosted: nil
        case .reserved(let epoch), .over(let epoch), .within(_, let epoch): epoch
        }
    }

    /// Whether the unit itself is here, which may have to be ended, and is released with the place.
    var holdsUnit: Bool {
        if case .given = self { true } else { false }
    }

    /// Leaves nothing here.
    mutating func take() -> UnitPlace {
        let place = consume self
        self = .none
        return place
    }

    /// Takes the unit of what may not be held any longer.
    mutating func settle() {
        switch self {
        case .hosted, .within: if let unit = self.unit { self = .given(unit) }
        case .none, .given, .reserved, .over: break
        }
    }

    /// Says that the unit of its own is over. Returns it, if it was made: it is the caller's to end.
    mutating func end() -> WorkUnit? {
        switch self {
        case .given(let unit): return unit
        case .reserved(let epoch):
            self = .over(epoch)
            return nil
        case .none, .hosted, .over, .within: return nil
        }
    }

    /// What the trail knows of the unit, which need not be made for it.
    var label: WorkUnit.Label? {
        mutating get {
            switch self {
            case .none: return nil
            case .given(let unit): return unit.label
            case .hosted(let worker, let epoch):
                return WorkUnit.Label(epoch: epoch, worker: worker._withUnsafeGuaranteedRef { $0.name })
            case .reserved(let epoch?), .over(let epoch?): return WorkUnit.Label(inTask: epoch)
            case .within(_, let epoch?): return WorkUnit.Label(inTask: epoch)
            case .within(let context, nil): return context._withUnsafeGuaranteedRef { $0.lifetime.label }
            case .reserved(nil):
                let epoch = Epoch.next()
                self = .reserved(epoch)
                return WorkUnit.Label(inTask: epoch)
            case .over(nil):
                let epoch = Epoch.next()
                self = .over(epoch)
                return WorkUnit.Label(inTask: epoch)
            }
        }
    }
}
