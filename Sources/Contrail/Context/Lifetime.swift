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
final class LifetimeState: Sendable {
    private let state = Mutex(Lifetime())
    private let liveIdentity = Atomic<UInt64>(0)

    /// The lifetime that is running, by a number unique in the process; 0 when none is.
    var identity: UInt64 { self.liveIdentity.load(ordering: .acquiring) }

    /// A copy of what is known.
    var current: Lifetime { self.state.withLock { $0 } }

    /// Counts a push. Returns the lifetime after it; its depth is 1 when the lifetime begins with it.
    func push(site: Site, unit: WorkUnit?, recorder: FlightRecorder?) -> Lifetime {
        let owner = ExecutionID.current
        return self.state.withLock { lifetime in
            lifetime.depth += 1
            lifetime.addOwner(owner)
            if lifetime.depth == 1 {
                lifetime.ordinal = recorder?.nextOrdinal() ?? 0
                lifetime.isTornDown = false
                lifetime.beganAt = MonotonicClock.nanoseconds
                lifetime.site = site
                lifetime.unit = unit
                self.liveIdentity.store(Lifetime.nextIdentity(), ordering: .releasing)
            }
            return lifetime
        }
    }

    /// Begins a pop, and decides whether it is the one that tears down: two tasks that pop at once must not both leave it to
    /// the other.
    func beginPop() -> (lifetime: Lifetime, isLast: Bool) {
        self.state.withLock { lifetime in
            let isLast = lifetime.isAtLastPop
            lifetime.popping += 1
            if isLast { lifetime.isTornDown = true }
            return (lifetime, isLast)
        }
    }

    /// Counts a pop that was begun. Returns the lifetime after it; its depth is 0 when the lifetime ends with it.
    ///
    /// - Parameter owner: Who made the push; by default the caller.
    func pop(of owner: ExecutionID? = nil) -> Lifetime {
        self.count(owner ?? ExecutionID.current) { $0.popping -= 1 }
    }

    /// Takes back a push that failed. Returns the lifetime after it.
    func undoPush() -> Lifetime {
        self.count(ExecutionID.current) { _ in }
    }

    private func count(_ owner: ExecutionID, _ change: (inout Lifetime) -> Void) -> Lifetime {
        self.state.withLock { lifetime in
            lifetime.removeOwner(owner)
            lifetime.depth -= 1
            change(&lifetime)
            let result = lifetime
            if lifetime.depth == 0 {
                lifetime.unit = nil
                lifetime.endedAt = MonotonicClock.nanoseconds
                self.liveIdentity.store(0, ordering: .releasing)
            }
            return result
        }
    }
}
