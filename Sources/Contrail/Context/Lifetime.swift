// What a context knows of its pushes.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// The pushes of one context. A lifetime runs from the first push to the last pop; teardown belongs to the last pop.
struct Lifetime {
    /// How many pushes are not undone.
    var depth = 0
    /// How many pops are under way: begun, and not counted yet.
    var popping = 0
    /// Whether teardown has begun. It begins once in a lifetime, also when a hook pushes the context again.
    var isTornDown = false
    /// The number of the lifetime in the run.
    var ordinal: TrailEvent.ContextOrdinal = 0
    /// When the lifetime began, in nanoseconds of the monotonic clock.
    var beganAt: UInt64 = 0
    /// When the last lifetime ended, in nanoseconds of the monotonic clock; 0 before that.
    var endedAt: UInt64 = 0
    /// Where the lifetime was pushed first.
    var site = Site()
    /// The unit of work in which it was pushed.
    var unit: WorkUnit?
    /// The task or thread that made the oldest push.
    private var firstOwner: ExecutionID?
    /// Those that made the other pushes, in their order.
    private var otherOwners: [ExecutionID] = []

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
        self.firstOwner == owner || self.otherOwners.contains(owner)
    }

    fileprivate mutating func addOwner(_ owner: ExecutionID) {
        if self.depth == 1 { self.firstOwner = owner } else { self.otherOwners.append(owner) }
    }

    /// Takes back the last push of an owner; of anybody, when it has none.
    fileprivate mutating func removeOwner(_ owner: ExecutionID?) {
        if let index = self.otherOwners.lastIndex(where: { $0 == owner }) {
            self.otherOwners.remove(at: index)
        } else if self.otherOwners.isEmpty {
            self.firstOwner = nil
        } else {
            let last = self.otherOwners.removeLast()
            if self.firstOwner == owner { self.firstOwner = last }
        }
    }

    private static let lastIdentity = Atomic<UInt64>(0)

    /// A number for a lifetime that no other has in this process.
    static func nextIdentity() -> UInt64 {
        self.lastIdentity.add(1, ordering: .relaxed).newValue
    }
}

/// The pushes of one context, guarded, with what readers need without the lock.
struct LifetimeState: ~Copyable, Sendable {
    private let state = Mutex(Lifetime())
    private let liveIdentity = Atomic<UInt64>(0)

    /// The lifetime that is running, by a number unique in the process; 0 when none is.
    var identity: UInt64 { self.liveIdentity.load(ordering: .acquiring) }

    /// A copy of what is known.
    var current: Lifetime { self.state.withLock { $0 } }

    /// The number of the lifetime in the run; 0 before the first.
    var ordinal: TrailEvent.ContextOrdinal { self.state.withLock { $0.ordinal } }

    /// The unit of work in which the running lifetime was pushed.
    var unit: WorkUnit? { self.state.withLock { $0.unit } }

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
            lifetime.addOwner(owner)
            if lifetime.depth == 1 {
                lifetime.ordinal = recorder?.nextOrdinal() ?? 0
                lifetime.isTornDown = false
                lifetime.beganAt = time
                lifetime.site = site
                lifetime.unit = unit
                self.liveIdentity.store(Lifetime.nextIdentity(), ordering: .releasing)
            }
            return Beginning(depth: lifetime.depth, ordinal: lifetime.ordinal, previousEnd: lifetime.endedAt)
        }
    }

    /// Begins a pop, and decides whether it is the one that tears down: two tasks that pop at once must not both leave it to
    /// the other.
    func beginPop() -> (ordinal: TrailEvent.ContextOrdinal, unit: WorkUnit?, isLast: Bool) {
        self.state.withLock { lifetime in
            let isLast = lifetime.isAtLastPop
            lifetime.popping += 1
            if isLast { lifetime.isTornDown = true }
            return (lifetime.ordinal, lifetime.unit, isLast)
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
        /// The unit of work in which it was pushed.
        let unit: WorkUnit?
    }

    /// Counts a pop that was begun. The lifetime ends when it is the last.
    ///
    /// - Parameter owner: Who made the push; by default the caller.
    func pop(of owner: ExecutionID? = nil, at time: UInt64) -> Ending {
        self.count(owner ?? ExecutionID.current, at: time, popping: 1)
    }

    /// Takes back a push that failed.
    func undoPush(at time: UInt64) -> Ending {
        self.count(ExecutionID.current, at: time, popping: 0)
    }

    private func count(_ owner: ExecutionID, at time: UInt64, popping: Int) -> Ending {
        self.state.withLock { lifetime in
            lifetime.removeOwner(owner)
            lifetime.depth -= 1
            lifetime.popping -= popping
            // The unit moves out with the end of the lifetime, and is released outside the lock.
            let unit = lifetime.depth == 0 ? lifetime.unit.take() : lifetime.unit
            if lifetime.depth == 0 {
                lifetime.endedAt = time
                self.liveIdentity.store(0, ordering: .releasing)
            }
            return Ending(
                depth: lifetime.depth,
                ordinal: lifetime.ordinal,
                beganAt: lifetime.beganAt,
                site: lifetime.site,
                unit: unit
            )
        }
    }
}
