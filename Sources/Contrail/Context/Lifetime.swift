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
    private(set) var site: Site
    /// The task or thread that made the oldest push.
    private var firstOwner: ExecutionID?
    /// Those that made the other pushes, in their order. Most lifetimes have none, and an empty array is counted too.
    private var otherOwners: [ExecutionID]?

    init() {
        self.site = Site()
    }

    /// A lifetime that begins with a context that nobody else has seen yet.
    init(by owner: ExecutionID, at time: UInt64, site: Site, ordinal: TrailEvent.ContextOrdinal) {
        self.depth = 1
        self.firstOwner = owner
        self.number = 1
        self.ordinal = ordinal
        self.beganAt = time
        self.site = site
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
        recorder: Unmanaged<FlightRecorder>?,
        numbering: OrdinalSource?
    ) {
        self.firstOwner = owner
        self.number += 1
        self.ordinal =
            recorder?._withUnsafeGuaranteedRef { recorder in
                numbering.map { $0.next(recorder) } ?? recorder.nextOrdinal()
            } ?? 0
        self.isTornDown = false
        self.beganAt = time
        self.site = site
    }

    /// Whether it is the context's first lifetime and has one push, which nobody but so many pops is undoing.
    fileprivate func isPlain(popping: Int) -> Bool {
        self.depth == 1 && self.popping == popping && self.number == 1 && self.otherOwners == nil
    }

    fileprivate mutating func endPlainly(at time: UInt64) {
        self.depth = 0
        self.popping = 0
        self.isTornDown = true
        self.firstOwner = nil
        self.endedAt = time
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

/// The pushes of one context, guarded, with what readers need without the lock.
struct LifetimeState: ~Copyable, Sendable {
    // It moves into its lock; a copy on the way would be counted. Not private: initialisers that are inlined elsewhere make one.
    struct State: ~Copyable {
        var lifetime: Lifetime
        /// The unit of work in which it was pushed.
        var place: UnitPlace
        /// The same in the words of the app's recorder, if the push was recorded.
        var recorded: RecordedUnit?
        /// The unit of the first lifetime, when that has ended and the number was given.
        var firstEpoch: Epoch?

        /// The unit of the running lifetime, for its records.
        var unit: LifetimeUnit {
            mutating get {
                if let recorded { return .recorded(recorded) }
                return LifetimeUnit(self.place.label)
            }
        }
    }

    private let state: BriefLock<State>
    private let liveNumber: Atomic<UInt64>
    /// The lifetime's number in the run, written under the lock.
    private let lastOrdinal: Atomic<TrailEvent.ContextOrdinal>

    /// Of a context that is not pushed.
    init() {
        self.liveNumber = Atomic(0)
        self.lastOrdinal = Atomic(0)
        self.state = BriefLock(State(lifetime: Lifetime(), place: .none))
    }

    /// Of a context that comes to be with its first push, which needs no lock: nobody else has seen it yet.
    @inline(__always)
    init(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: consuming UnitPlace,
        recorded: RecordedUnit?,
        ordinal: TrailEvent.ContextOrdinal
    ) {
        self.liveNumber = Atomic(1)
        self.lastOrdinal = Atomic(ordinal)
        let first = Lifetime(by: owner, at: time, site: site, ordinal: ordinal)
        self.state = BriefLock(State(lifetime: first, place: place, recorded: recorded))
    }

    /// The lifetime that is running, by a number that no other of the context has; 0 when none is.
    var identity: UInt64 { self.liveNumber.load(ordering: .acquiring) }

    /// A copy of what is known.
    var current: Lifetime { self.state.withLock { $0.lifetime } }

    /// The number of the lifetime in the run; 0 before the first.
    var ordinal: TrailEvent.ContextOrdinal { self.lastOrdinal.load(ordering: .acquiring) }

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
    ///
    /// - Parameters:
    ///   - recorded: The unit in the words of the recorder, if it records.
    ///   - recorder: The recorder, which the app holds.
    func push(
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: consuming UnitPlace,
        recorded: RecordedUnit?,
        recorder: Unmanaged<FlightRecorder>?,
        numbering: OrdinalSource? = nil
    ) -> Beginning {
        self.state.withLock { state in
            state.lifetime.depth += 1
            if state.lifetime.depth == 1 {
                state.lifetime.begin(by: owner, at: time, site: site, recorder: recorder, numbering: numbering)
                state.place = place
                state.recorded = recorded
                self.lastOrdinal.store(state.lifetime.ordinal, ordering: .releasing)
                self.liveNumber.store(state.lifetime.number, ordering: .releasing)
            } else {
                state.lifetime.addOwner(owner)
            }
            return Beginning(
                depth: state.lifetime.depth,
                ordinal: state.lifetime.ordinal,
                previousEnd: state.lifetime.endedAt
            )
        }
    }

    /// The unit of its own that the first lifetime reserved, made now; an ended one when that lifetime is over.
    func reservedUnit() -> WorkUnit? {
        self.state.withLock { state in
            if state.lifetime.number == 1, state.lifetime.depth > 0 { return state.place.unit }
            return WorkUnit(WorkUnit.Label(inTask: state.firstEpoch ?? Epoch.next()), isEnded: true)
        }
    }

    /// Begins a pop, and decides whether it is the one that tears down: two tasks that pop at once must not both leave it to
    /// the other.
    func beginPop() -> (ordinal: TrailEvent.ContextOrdinal, unit: LifetimeUnit, isLast: Bool) {
        self.state.withLock { state in
            let isLast = state.lifetime.isAtLastPop
            state.lifetime.popping += 1
            if isLast { state.lifetime.isTornDown = true }
            return (state.lifetime.ordinal, state.unit, isLast)
        }
    }

    /// What the record of a pop says of the lifetime.
    struct PopRecord {
        let ordinal: TrailEvent.ContextOrdinal
        /// The unit of work in which it was pushed; none when nothing is recorded.
        let unit: LifetimeUnit
        let beganAt: UInt64
        /// How many pushes remain; 0 when the lifetime has ended.
        var remaining = 0
    }

    /// What a pop, or a push taken back, did.
    struct Ending {
        let record: PopRecord
        /// Where the lifetime was pushed first.
        let site: Site
        /// Where that unit was, if this is the end of it here: what it holds is released outside the lock.
        fileprivate let place: UnitPlace
        /// Whether the unit is over too.
        fileprivate let endsUnit: Bool

        /// How many pushes remain; 0 when the lifetime has ended.
        var depth: Int { self.record.remaining }

        /// Where the lifetime was pushed first, if it has ended.
        var endedFrom: Site? { self.depth == 0 ? self.site : nil }

        /// The unit that was over with the pop, and is the caller's to end.
        var endedUnit: WorkUnit? {
            if self.endsUnit, case .given(let unit) = self.place { unit } else { nil }
        }
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
        self.state.withLock { state in
            if state.lifetime.isAtLastPop { state.lifetime.isTornDown = true }
            return self.count(owner, at: time, isRecording: isRecording, popping: 0, endsUnit: endsUnit, &state)
        }
    }

    /// Ends a lifetime that has one push and does not hold its unit, which is what most are. Returns what is to be recorded, and where
    /// it was pushed; does nothing and returns nil when there is more to count.
    ///
    /// - Parameter begun: How many pops have begun: 1 for the end of one, 0 for one that needs no beginning.
    @inline(__always)
    func endPlainly(begun: Int, at time: UInt64, isRecording: Bool) -> (pop: PopRecord, site: Site)? {
        self.state.withLock { state in
            guard state.lifetime.isPlain(popping: begun), !state.place.holdsUnit else { return nil }
            // Before the number is kept: a unit that has none is given one for the record.
            let unit = isRecording ? state.unit : .none
            state.lifetime.endPlainly(at: time)
            state.firstEpoch = state.place.epoch
            state.place = .none
            self.liveNumber.store(0, ordering: .releasing)
            let pop = PopRecord(ordinal: state.lifetime.ordinal, unit: unit, beganAt: state.lifetime.beganAt)
            return (pop, state.lifetime.site)
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
        _ state: inout State
    ) -> Ending {
        let unit = isRecording ? state.unit : .none
        if endsUnit { _ = state.place.end() }
        state.lifetime.removeOwner(owner)
        state.lifetime.depth -= 1
        state.lifetime.popping -= popping
        let place: UnitPlace
        if state.lifetime.depth == 0 {
            if state.lifetime.number == 1 { state.firstEpoch = state.place.epoch }
            place = state.place.take()
            state.lifetime.endedAt = time
            self.liveNumber.store(0, ordering: .releasing)
        } else {
            state.place.settle()
            place = endsUnit ? state.place : .none
        }
        return Ending(
            record: PopRecord(
                ordinal: state.lifetime.ordinal,
                unit: unit,
                beganAt: state.lifetime.beganAt,
                remaining: state.lifetime.depth
            ),
            site: state.lifetime.site,
            place: place,
            endsUnit: endsUnit
        )
    }
}
