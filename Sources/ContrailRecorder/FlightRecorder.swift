// The recorder: numbers events and buffers them. It cannot throw, block or suspend, whatever becomes of the store.

private import Synchronization

/// Records what happens to contexts, in front of a drain that stores it.
///
/// Recording cannot throw, block or suspend: a full buffer drops the event and counts it. May be used from any thread.
/// A recorder belongs to one run; `TrailStore` makes one when it opens a trail.
public final class FlightRecorder: Sendable {
    /// How much is recorded.
    public struct Level: Hashable, Sendable {
        fileprivate let rawValue: UInt8

        /// Nothing.
        public static let off = Level(rawValue: 0)
        /// Everything but payloads: pushes, pops, hooks, recycles, problems, and the names and small values of `g`.
        public static let lifecycle = Level(rawValue: 1)
    }

    /// How a recorder works.
    public struct Configuration: Sendable {
        /// How much is recorded at first; ``FlightRecorder/level`` changes it later.
        public var level: Level
        /// How many events may wait for the drain, rounded up to a power of two, from 2 to 1,048,576. One
        /// takes about 250 bytes.
        public var capacity: Int
        /// What must not be stored.
        public var redaction: RedactionPolicy

        /// Makes a configuration.
        public init(level: Level = .lifecycle, capacity: Int = 32_768, redaction: RedactionPolicy = RedactionPolicy()) {
            self.level = level
            self.capacity = capacity
            self.redaction = redaction
        }
    }

    /// What must not be stored.
    public let redaction: RedactionPolicy

    private let names: RecordedNames
    private let queue: EventQueue
    private let drops = DropLedger()
    private let levelCode: Atomic<UInt8>
    private let lastSeq = Atomic<UInt64>(0)
    private let lastOrdinal: Atomic<UInt64>
    private let storedCount = Atomic<UInt64>(0)

    /// Makes a recorder. Nothing is stored until a drain takes its events.
    public convenience init(configuration: Configuration = Configuration()) {
        self.init(configuration: configuration, lifetimesBefore: 0)
    }

    /// Makes a recorder whose run has had so many lifetimes already.
    package init(configuration: Configuration, lifetimesBefore: UInt64) {
        self.redaction = configuration.redaction
        self.names = RecordedNames(configuration.redaction)
        self.queue = EventQueue(capacity: configuration.capacity)
        self.levelCode = Atomic(configuration.level.rawValue)
        self.lastOrdinal = Atomic(lifetimesBefore)
    }

    /// How much is recorded. May be changed at any time; a lifetime that is open then may lack its pop or its push.
    public var level: Level {
        get { Level(rawValue: self.levelCode.load(ordering: .relaxed)) }
        set { self.levelCode.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Whether anything is recorded at all: one relaxed load.
    public var isRecording: Bool {
        self.levelCode.load(ordering: .relaxed) != Level.off.rawValue
    }

    /// What became of the events so far.
    public var accounting: Accounting {
        // Read in this order, no figure can overtake the one it is subtracted from.
        let stored = self.storedCount.load(ordering: .acquiring)
        let dropped = self.drops.count
        let produced = self.lastSeq.load(ordering: .acquiring)
        return Accounting(produced: produced, stored: stored, dropped: dropped)
    }

    /// How many events may wait for the drain.
    public var capacity: Int { self.queue.capacity }

    /// The number for a lifetime that begins now; 0, which is no number, when the run has had 2³² - 1 of them.
    package func nextOrdinal() -> TrailEvent.ContextOrdinal {
        TrailEvent.ContextOrdinal(exactly: self.lastOrdinal.wrappingAdd(1, ordering: .relaxed).newValue) ?? 0
    }

    /// What is to be recorded of a name in `g`.
    package func name(_ name: String) -> RecordedName { self.names[name] }

    /// Records an event. Returns its number, or nil when nothing is recorded.
    ///
    /// - Parameter time: When it happened, in nanoseconds of the monotonic clock; now, if it is not given.
    @discardableResult
    package func record(
        _ body: consuming TrailEvent.Body,
        context: TrailEvent.ContextOrdinal?,
        worker: consuming TrailEvent.WorkerLabel?,
        epoch: UInt64?,
        thread: Int64?,
        at time: UInt64? = nil
    ) -> UInt64? {
        guard self.isRecording else { return nil }
        let seq = self.lastSeq.wrappingAdd(1, ordering: .relaxed).newValue
        guard let position = self.queue.claim() else {
            self.drops.add(seq: seq)
            return seq
        }
        self.queue.fill(
            position,
            with: TrailEvent(
                seq: seq,
                monotonicNanoseconds: time ?? MonotonicClock.nanoseconds,
                thread: thread,
                worker: worker,
                epoch: epoch,
                context: context,
                body: body
            )
        )
        return seq
    }

    /// Records that the run began. The store calls it before anything else.
    package func recordRunStart() {
        self.record(.runStart, context: nil, worker: nil, epoch: nil, thread: nil)
    }

    /// Makes an event that bypasses the buffer: the drain's own, which must not be dropped.
    package func makeDrainEvent(_ body: TrailEvent.Body) -> TrailEvent {
        self.event(body, context: nil, worker: nil, epoch: nil, thread: nil)
    }

    /// Takes the oldest event that waits. The drain's thread only.
    package func takeEvent() -> TrailEvent? { self.queue.popFirst() }

    /// Takes what was dropped since the last call. The drain's thread only.
    package func takeDrops() -> TrailEvent.Drop? { self.drops.take() }

    /// Notes that the drain committed this many events.
    package func noteStored(_ count: Int) {
        self.storedCount.wrappingAdd(UInt64(count), ordering: .releasing)
    }

    private func event(
        _ body: TrailEvent.Body,
        context: TrailEvent.ContextOrdinal?,
        worker: TrailEvent.WorkerLabel?,
        epoch: UInt64?,
        thread: Int64?
    ) -> TrailEvent {
        TrailEvent(
            seq: self.lastSeq.wrappingAdd(1, ordering: .relaxed).newValue,
            monotonicNanoseconds: MonotonicClock.nanoseconds,
            thread: thread,
            worker: worker,
            epoch: epoch,
            context: context,
            body: body
        )
    }
}
