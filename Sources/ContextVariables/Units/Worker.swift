// The reusable thing that hosts units of work one after another.

private import Synchronization

/// What hosts units of work one after another: an HTTP connection, a job loop, a bare thread, a Dispatch worker.
///
/// A worker *recycles* when it ends its unit and begins the next: every recyclable value of the old unit is gone from
/// that moment. Only this worker is touched; a unit suspended elsewhere keeps its values.
/// May be used from any thread.
public final class Worker: Sendable, CustomStringConvertible {
    /// What kind of worker it is and which one of them: `conn:17`, `job:ship/0`, `thread:4711`.
    public struct Name: Hashable, Sendable, CustomStringConvertible {
        /// The kind, from a small set: `conn`, `job:ship`, `thread`.
        public let kind: String
        /// Which one of that kind.
        public let number: Int64

        /// Names a worker.
        public init(kind: String, number: Int64) {
            self.kind = kind
            self.number = number
        }

        /// Kind and number, joined by a colon, or by a slash when the kind has a colon itself.
        public var description: String {
            "\(self.kind)\(self.kind.utf8.contains(UInt8(ascii: ":")) ? "/" : ":")\(self.number)"
        }
    }

    /// What a recycle did.
    public struct Recycling: Sendable {
        /// The worker's name.
        public let worker: Name
        /// The epoch that ended; `nil` for the worker's first unit.
        public let before: Epoch?
        /// The epoch that began.
        public let after: Epoch
        /// How many recyclable values of the old unit were released.
        public let variablesDropped: Int
    }

    private struct State {
        var unit: WorkUnit?
        /// The unit of the request that the worker is inside.
        var claimed: WorkUnit?
        /// Whether the next unit that is begun without a recycle is the worker's first.
        var isFresh = true
        /// Values of units that ended since the last recycle and have been replaced already.
        var dropped = 0
    }

    /// The worker's name, as it appears in the trail.
    public let name: Name

    private let state: Mutex<State>
    /// The epoch of the unit, 0 when there is none or it was released: written under the lock, and read without it by scopes that
    /// follow the worker.
    private let unitEpoch: Atomic<UInt64>
    /// Whether the unit may be somebody else's, who ends it without telling this worker.
    private let sharesUnit: Bool

    /// Makes a worker. One kind should have few members at a time, each with its own number.
    ///
    /// - Parameters:
    ///   - kind: From a small set, without the number: `job:ship`.
    ///   - number: Which one of that kind.
    public convenience init(kind: String, number: Int64) {
        self.init(Name(kind: kind, number: number), State())
    }

    /// A worker that hosts one unit only, under the name of the worker that the unit is of: for a hand-off, which must not
    /// recycle what it came from, and for a unit inside another.
    package convenience init(hosting unit: WorkUnit) {
        self.init(unit.worker, State(unit: unit, isFresh: unit.isFirst), sharesUnit: true)
    }

    private init(_ name: Name, _ state: State, sharesUnit: Bool = false) {
        self.name = name
        self.sharesUnit = sharesUnit
        self.unitEpoch = Atomic(state.unit?.epoch.rawValue ?? 0)
        self.state = Mutex(state)
    }

    /// A worker of the same name with a fork of the unit, for a hand-off: what happens in one is not seen in the other.
    func forked() -> Worker {
        let (unit, isFresh) = self.state.withLock { ($0.unit, $0.isFresh) }
        return Worker(self.name, State(unit: unit?.forked(), isFresh: isFresh))
    }

    /// The epoch of the unit that the worker hosts; `nil` before its first.
    public var epoch: Epoch? {
        self.state.withLock { $0.unit?.epoch }
    }

    /// The worker's name as text.
    public var description: String { self.name.description }

    /// Ends the worker's unit and begins the next. Job loops and tests call this themselves; a request push does it for
    /// its worker. In a service with a trail call `App.recycle(_:)`, which records it.
    ///
    /// Code that follows the worker is in the new unit at once; code in a request that took the old unit finds it ended. The
    /// first recycle carries over what ``RecyclablePolicy/BootValues/surviveFirstRecycle`` says, later ones nothing (`REC-09`).
    @discardableResult
    public func recycle() -> Recycling {
        self.finish(self.state.withLock { self.advance(&$0) })
    }

    /// The unit in which code on this worker runs outside a request, begun if there is none or the last one has ended.
    package func currentUnit() -> WorkUnit {
        self.state.withLock { state in
            if let unit = state.unit {
                if !unit.isEnded { return unit }
                // It has ended: this gives the count, and releases nothing under the lock.
                state.dropped += unit.end()
            }
            let unit = state.isFresh ? WorkUnit.first(of: self.name) : WorkUnit(worker: self.name)
            self.begin(unit, &state)
            return unit
        }
    }

    /// The epoch of ``currentUnit()``, found without a lock where one is running.
    package var currentEpoch: Epoch {
        if !self.sharesUnit, let epoch = Epoch(number: self.unitEpoch.load(ordering: .acquiring)) { return epoch }
        return self.currentUnit().epoch
    }

    /// The unit of an epoch that the worker was in: an ended one when it has left it.
    package func unit(of epoch: Epoch) -> WorkUnit {
        let unit = self.state.withLock { $0.unit }
        if let unit, unit.epoch == epoch { return unit }
        return WorkUnit(WorkUnit.Label(epoch: epoch, worker: self.name), isEnded: true)
    }

    /// The last unit that was begun, ended or not; `nil` before the first.
    var startedUnit: WorkUnit? {
        self.state.withLock { $0.unit }
    }

    /// Whether the unit is the one that the worker is in, and running. Takes no lock.
    @inline(__always)
    func isIn(_ unit: WorkUnit) -> Bool {
        self.unitEpoch.load(ordering: .acquiring) == unit.epoch.rawValue && !unit.isEnded
    }

    /// Whether the unit is the one that the worker is in, or the one that a request on it took.
    func hosts(_ unit: WorkUnit) -> Bool {
        self.state.withLock { $0.unit === unit || $0.claimed === unit }
    }

    /// Begins the unit of a request: a recycle, or a unit of its own when the worker is inside another request, or inside
    /// `outer`, a unit that a context around the request is using.
    package func claimUnit(inside outer: WorkUnit? = nil) -> (unit: WorkUnit, recycling: Recycling?) {
        let step = self.state.withLock { state -> Step? in
            guard state.claimed == nil, outer == nil || outer !== state.unit else { return nil }
            let step = self.advance(&state)
            state.claimed = step.next
            return step
        }
        guard let step else { return (WorkUnit(worker: self.name), nil) }
        return (step.next, self.finish(step))
    }

    /// Ends the unit of a request. Its values are released now; the next recycle reports how many they were.
    package func releaseUnit(_ unit: WorkUnit) {
        unit.end()
        self.state.withLock { state in
            if state.claimed === unit { state.claimed = nil }
            self.noteReleased(unit)
        }
    }

    /// Called under the lock, when a unit has ended that may still be the worker's.
    private func noteReleased(_ unit: WorkUnit) {
        if self.unitEpoch.load(ordering: .relaxed) == unit.epoch.rawValue {
            self.unitEpoch.store(0, ordering: .releasing)
        }
    }

    /// Ends the unit that began as `unit`, and the one that a recycle in the middle of it has put in its place.
    func releaseUnit(begunAs unit: WorkUnit) {
        let last = self.state.withLock { state -> WorkUnit? in
            guard state.claimed === unit else { return nil }
            state.claimed = nil
            return state.unit
        }
        unit.end()
        last?.end()
        self.state.withLock { state in
            self.noteReleased(unit)
            if let last { self.noteReleased(last) }
        }
    }

    /// A recycle between its two halves.
    private struct Step {
        let old: WorkUnit?
        let successor: WorkUnit.Successor
        let dropped: Int

        var next: WorkUnit { self.successor.unit }
    }

    private func advance(_ state: inout State) -> Step {
        let next = state.unit?.successor() ?? WorkUnit.Successor(unit: WorkUnit(worker: self.name))
        let step = Step(old: state.unit, successor: next, dropped: state.dropped)
        state.isFresh = false
        state.dropped = 0
        self.begin(next.unit, &state)
        return step
    }

    private func begin(_ unit: WorkUnit, _ state: inout State) {
        state.unit = unit
        self.unitEpoch.store(unit.epoch.rawValue, ordering: .releasing)
    }

    /// Ends the old unit, outside the lock: its values may run user code when they die.
    private func finish(_ step: Step) -> Recycling {
        Recycling(
            worker: self.name,
            before: step.old?.epoch,
            after: step.next.epoch,
            variablesDropped: step.dropped + (step.old?.end(carriesOver: true) ?? 0)
        )
    }
}
