// What a context knows of its pushes.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// The pushes of one context. A lifetime runs from the first push to the last pop; teardown belongs to the last pop.
struct Lifetime {
    /// How many pushes are not undone.
    fileprivate(set) var depth = 0
    /// How many pops are under way: begun, and not counted yet.
    fileprivate var popping = 0
    /// Whether teardown has begun. It begins once in a lifetime, also when a hook pushes the context again.
    fileprivate var isTornDown = false
    /// The number of the lifetime in the run.
    private(set) var ordinal: TrailEvent.ContextOrdinal = 0
    /// Which lifetime of the context it is, from 1.
    fileprivate private(set) var number: UInt64 = 0
    /// When the lifetime began, in nanoseconds of the monotonic clock.
    private(set) var beganAt: UInt64 = 0
    /// When the last lifetime ended, in nanoseconds of the monotonic clock; 0 before that.
    fileprivate var endedAt: UInt64 = 0
    /// Where the lifetime was pushed first.
    private(set) var site = Site()
    /// The unit of work in which it was pushed.
    fileprivate var place = UnitPlace.none
    /// The unit of the first lifetime, when that has ended and the number was given.
    fileprivate var firstEpoch: Epoch?
    /// The task or thread that made the oldest push.
    private var firstOwner: ExecutionID?
    /// Those that made the other pushes, in their order. Most lifetimes have none, and an empty array is counted too.
    private var otherOwners: [ExecutionID]?

    init() {}

    /// A lifetime that begins with a context that nobody else has seen yet.
    init(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: consuming UnitPlace,
        ordinal: TrailEvent.ContextOrdinal
    ) {
        self.depth = 1
        self.firstOwner = owner
        self.number = 1
        self.ordinal = ordinal
        self.beganAt = time
        self.site = site
        self.place = place
    }

    /// Whether there is a push that no pop is undoing.
    var canPop: Bool { self.depth > self.popping }
    /// Whether the next pop tears the context down.
    var isAtLastPop: Bool { self.depth - self.popping == 1 && !self.isTornDown }

    /// Nanoseconds since the lifetime ended; since it began, while it runs.
    var age: UInt64 {
        let since = self.depth == 0 ? self.endedAt : self.beganAt
        return MonotonicClock.nanoseconds &- since
    }

    /// Whether the task or thread has a push that is not undone.
    func isPushed(by owner: ExecutionID) -> Bool {
        self.firstOwner == owner || self.otherOwners?.contains(owner) == true
    }

    fileprivate mutating func begin(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: UnitPlace,
        recorder: FlightRecorder?
    ) {
        self.firstOwner = owner
        self.number += 1
        self.ordinal = recorder?.nextOrdinal() ?? 0
        self.isTornDown = false
        self.beganAt = time
        self.site = site
        self.place = place
    }

    fileprivate mutating func addOwner(_ owner: ExecutionID) {
        self.otherOwners = (self.otherOwners ?? []) + [owner]
    }

    /// Takes back the last push of an owner; of anybody, when it has none.
    fileprivate mutating func removeOwner(_ owner: ExecutionID) {
        guard var others = self.otherOwners, !others.isEmpty else {
            self.firstOwner = nil
            return
        }
        if let index = others.lastIndex(where: { $0 == owner }) {
            others.remove(at: index)
        } else {
            let last = others.removeLast()
            if self.firstOwner == owner { self.firstOwner = last }
        }
        self.otherOwners = others
    }
}

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

    /// The unit, made now if need be.
    fileprivate var unit: WorkUnit? {
        mutating get {
            switch self {
            case .none: return nil
            case .given(let unit): return unit
            case .hosted(let worker, let epoch): return worker._withUnsafeGuaranteedRef { $0.unit(of: epoch) }
            case .reserved(let epoch): return self.make(epoch, isEnded: false)
            case .over(let epoch): return self.make(epoch, isEnded: true)
            }
        }
    }

    private mutating func make(_ epoch: Epoch?, isEnded: Bool) -> WorkUnit {
        let unit = WorkUnit(WorkUnit.Label(inTask: epoch ?? Epoch.next()), isEnded: isEnded)
        self = .given(unit)
        return unit
    }

    /// The number of the unit, if it has one.
    fileprivate var epoch: Epoch? {
        switch self {
        case .none: nil
        case .given(let unit): unit.epoch
        case .hosted(_, let epoch): epoch
        case .reserved(let epoch), .over(let epoch): epoch
        }
    }

    /// Leaves nothing here.
    fileprivate mutating func take() -> UnitPlace {
        let place = consume self
        self = .none
        return place
    }

    /// Takes the unit of a worker that may not be held any longer.
    fileprivate mutating func settle() {
        if case .hosted = self, let unit = self.unit { self = .given(unit) }
    }

    /// Says that the unit of its own is over. Returns it, if it was made: it is the caller's to end.
    fileprivate mutating func end() -> WorkUnit? {
        switch self {
        case .given(let unit): return unit
        case .reserved(let epoch):
            self = .over(epoch)
            return nil
        case .none, .hosted, .over: return nil
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

/// The pushes of one context, guarded, with what readers need without the lock.
struct LifetimeState: ~Copyable, Sendable {
    private let state: Mutex<Lifetime>
    private let liveNumber: Atomic<UInt64>

    /// Of a context that is not pushed.
    init() {
        self.liveNumber = Atomic(0)
        self.state = Mutex(Lifetime())
    }

    /// Of a context that comes to be with its first push, which needs no lock: nobody else has seen it yet.
    @inline(__always)
    init(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: consuming UnitPlace,
        ordinal: TrailEvent.ContextOrdinal
    ) {
        self.liveNumber = Atomic(1)
        self.state = Mutex(Lifetime(by: owner, at: time, site: site, in: place, ordinal: ordinal))
    }

    /// The lifetime that is running, by a number that no other of the context has; 0 when none is.
    var identity: UInt64 { self.liveNumber.load(ordering: .acquiring) }

    /// A copy of what is known.
    var current: Lifetime { self.state.withLock { $0 } }

    /// The number of the lifetime in the run; 0 before the first.
    var ordinal: TrailEvent.ContextOrdinal { self.state.withLock { $0.ordinal } }

    /// The unit of work in which the running lifetime was pushed, made now if need be.
    var unit: WorkUnit? { self.state.withLock { $0.place.unit } }

    /// What the trail knows of that unit.
    var label: WorkUnit.Label? { self.state.withLock { $0.place.label } }

    /// What a push did.
    struct Beginning {
        /// How many pushes there are; 1 when the lifetime begins.
        let depth: Int
        let ordinal: TrailEvent.ContextOrdinal
        /// When the lifetime before this one ended; 0 when there was none.
        let previousEnd: UInt64
    }

    /// Counts a push. The lifetime begins when it is the first.
    func push(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        unit: WorkUnit?,
        recorder: FlightRecorder?
    ) -> Beginning {
        self.state.withLock { lifetime in
            lifetime.depth += 1
            if lifetime.depth == 1 {
                let place = unit.map { UnitPlace.given($0) } ?? .none
                lifetime.begin(by: owner, at: time, site: site, in: place, recorder: recorder)
                self.liveNumber.store(lifetime.number, ordering: .releasing)
            } else {
                lifetime.addOwner(owner)
            }
            return Beginning(depth: lifetime.depth, ordinal: lifetime.ordinal, previousEnd: lifetime.endedAt)
        }
    }

    /// The unit of its own that the first lifetime reserved, made now; an ended one when that lifetime is over.
    func reservedUnit() -> WorkUnit? {
        self.state.withLock { lifetime in
            if lifetime.number == 1, lifetime.depth > 0 { return lifetime.place.unit }
            return WorkUnit(WorkUnit.Label(inTask: lifetime.firstEpoch ?? Epoch.next()), isEnded: true)
        }
    }

    /// Begins a pop, and decides whether it is the one that tears down: two tasks that pop at once must not both leave it to
    /// the other.
    func beginPop() -> (ordinal: TrailEvent.ContextOrdinal, unit: WorkUnit.Label?, isLast: Bool) {
        self.state.withLock { lifetime in
            let isLast = lifetime.isAtLastPop
            lifetime.popping += 1
            if isLast { lifetime.isTornDown = true }
            return (lifetime.ordinal, lifetime.place.label, isLast)
        }
    }

    /// What a pop, or a push taken back, did.
    struct Ending {
        /// How many pushes remain; 0 when the lifetime has ended.
        let depth: Int
        let ordinal: TrailEvent.ContextOrdinal
        let beganAt: UInt64
        /// Where the lifetime was pushed first.
        let site: Site
        /// The unit of work in which it was pushed; `nil` when nothing is recorded.
        let unit: WorkUnit.Label?
        /// The unit that was over with the pop, and is the caller's to end.
        let endedUnit: WorkUnit?
        /// What is released now, outside the lock.
        fileprivate let released: WorkUnit?
    }

    /// Counts a pop that was begun. The lifetime ends when it is the last.
    ///
    /// - Parameter owner: Who made the push.
    func pop(of owner: ExecutionID, at time: UInt64, isRecording: Bool) -> Ending {
        self.state.withLock { self.count(owner, at: time, isRecording: isRecording, popping: 1, endsUnit: false, &$0) }
    }

    /// Counts a pop that needs no beginning, because nothing of the user's is called at it.
    ///
    /// - Parameter endsUnit: Whether the unit that the lifetime reserved is over with it.
    func popAtOnce(of owner: ExecutionID, at time: UInt64, isRecording: Bool, endsUnit: Bool) -> Ending {
        self.state.withLock { lifetime in
            if lifetime.isAtLastPop { lifetime.isTornDown = true }
            return self.count(owner, at: time, isRecording: isRecording, popping: 0, endsUnit: endsUnit, &lifetime)
        }
    }

    /// Takes back a push that failed.
    func undoPush(of owner: ExecutionID, at time: UInt64, isRecording: Bool) -> Ending {
        self.state.withLock { self.count(owner, at: time, isRecording: isRecording, popping: 0, endsUnit: false, &$0) }
    }

    /// Says that the unit which a lifetime reserved is over. Returns it, if it was made: it is the caller's to end.
    func endReservedUnit() -> WorkUnit? {
        self.state.withLock { $0.place.end() }
    }

    @inline(__always)
    private func count(
        _ owner: ExecutionID,
        at time: UInt64,
        isRecording: Bool,
        popping: Int,
        endsUnit: Bool,
        _ lifetime: inout Lifetime
    ) -> Ending {
        let label = isRecording ? lifetime.place.label : nil
        let endedUnit = endsUnit ? lifetime.place.end() : nil
        lifetime.removeOwner(owner)
        lifetime.depth -= 1
        lifetime.popping -= popping
        // The unit moves out with the end of the lifetime, and is released outside the lock.
        var released: WorkUnit?
        if lifetime.depth == 0 {
            let place = lifetime.place.take()
            if case .given(let unit) = place { released = unit }
            lifetime.endedAt = time
            if lifetime.number == 1 { lifetime.firstEpoch = place.epoch }
            self.liveNumber.store(0, ordering: .releasing)
        } else {
            lifetime.place.settle()
        }
        return Ending(
            depth: lifetime.depth,
            ordinal: lifetime.ordinal,
            beganAt: lifetime.beganAt,
            site: lifetime.site,
            unit: label,
            endedUnit: endedUnit,
            released: released
        )
    }
}
