// The recorder: numbers events and writes them into its ring. It cannot throw, block or suspend, whatever becomes of the store.

private import Synchronization

/// Records what happens to contexts, in front of a drain that stores it.
///
/// Recording cannot throw, block or suspend: a full ring drops the event and counts it, unless ``Configuration/overflow`` says
/// that it waits. May be used from any thread.
/// A recorder belongs to one run; `TrailStore` makes one when it opens a trail. In a child that the process forks it records
/// nothing.
public final class FlightRecorder: Sendable {
    /// What becomes of an event that finds the ring full.
    public struct Overflow: Hashable, Sendable {
        /// How long it waits; nil when it does not.
        fileprivate let patience: Duration?

        /// It is dropped, and counted. Recording never waits.
        public static let drop = Overflow(patience: nil)

        /// The thread that records waits until there is room, at most so long, and then the event is dropped and counted. The
        /// exception to the rule that recording never waits: the thread may be one that Swift's concurrency runs tasks on.
        ///
        /// Nobody waits for a drain that is not running, or that cannot store anything at the moment (`TrailStore.Status`
        /// says why): that would slow the service for nothing. Neither does the drain's own thread.
        ///
        /// - Parameter max: Up to 10 s.
        public static func wait(max: Duration) -> Overflow { Overflow(patience: max) }
    }

    /// How a recorder works.
    public struct Configuration: Sendable {
        /// How much is recorded at first; ``FlightRecorder/level`` changes it later.
        public var level: Level
        /// How many slots of 64 bytes the ring has, rounded up to a power of two, from 2 to 1,048,576. Most events take one,
        /// those with text more; a snapshot of `g` takes what it needs.
        public var capacity: Int
        /// What must not be stored.
        public var redaction: RedactionPolicy
        /// What becomes of an event that finds the ring full.
        public var overflow: Overflow

        /// Makes a configuration.
        public init(
            level: Level = .lifecycle,
            capacity: Int = 65_536,
            redaction: RedactionPolicy = RedactionPolicy(),
            overflow: Overflow = .drop
        ) {
            self.level = level
            self.capacity = capacity
            self.redaction = redaction
            self.overflow = overflow
        }
    }

    /// What must not be stored.
    public let redaction: RedactionPolicy

    let ring: RecordRing
    let dictionary: RingDictionary
    /// Values that wait for the drain to encode them.
    package let payloads = PayloadDesk()
    let holds = SampleHolds()
    private let names: RecordedNames
    private let reading: Mutex<EventReader>
    private let drops: DropLedger
    private let power: RecorderSwitch
    private let storedCount = Atomic<UInt64>(0)
    private let tornCount = Atomic<UInt64>(0)

    /// Makes a recorder whose ring is memory of the process. Nothing is stored until a drain takes its events.
    public convenience init(configuration: Configuration = Configuration()) {
        self.init(configuration: configuration, lifetimesBefore: 0)
    }

    /// Makes a recorder.
    ///
    /// - Parameters:
    ///   - memory: The ring; memory of the process when it is nil.
    ///   - lifetimes: How many lifetimes the run has had already.
    package init(configuration: Configuration, memory: RingMemory? = nil, lifetimesBefore lifetimes: UInt64 = 0) {
        let memory = memory ?? RingMemory.ofProcess(RingLayout(slots: configuration.capacity))
        let dictionary = RingDictionary(memory)
        let ring = RecordRing(memory, room: configuration.overflow.patience.map { RoomSignal(patience: $0) })
        self.redaction = configuration.redaction
        self.ring = ring
        self.dictionary = dictionary
        self.names = RecordedNames(configuration.redaction, dictionary)
        self.reading = Mutex(EventReader(ring))
        self.drops = DropLedger()
        self.power = RecorderSwitch(level: configuration.level.rawValue)
        memory.atomic(at: RingLayout.Header.lifetimes).pointee.store(lifetimes, ordering: .relaxed)
    }

    /// How much is recorded. May be changed at any time; a lifetime that is open then may lack its pop or its push.
    public var level: Level {
        get { Level(rawValue: self.power.level.pointee.load(ordering: .relaxed)) }
        set { self.power.level.pointee.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Whether anything is recorded at all: one relaxed load.
    public var isRecording: Bool { self.indicator.isRecording }

    /// Says whether anything is recorded, for those who hold the recorder and ask often.
    package var indicator: RecordingIndicator { RecordingIndicator(self.power) }

    /// What became of the events so far, at one instant. Only while others record without a pause may it be of several, and
    /// then count some events as on their way that are not any more.
    public var accounting: Accounting {
        var last = self.figures
        for _ in 0..<64 {
            let again = self.figures
            // What was read before the last number and is the same after it, was so at that moment.
            if again.stored == last.stored, again.dropped == last.dropped, again.torn == last.torn,
                again.sampledOut == last.sampledOut
            {
                return last
            }
            last = again
        }
        return last
    }

    private var figures: Accounting {
        // Read in this order, no figure can overtake the one it is subtracted from.
        let stored = self.storedCount.load(ordering: .acquiring)
        let torn = self.tornCount.load(ordering: .acquiring)
        let dropped = self.drops.count
        let sampled = self.holds.counts.current
        // What is sampled out never had a number, and what is held has none yet.
        let produced = self.ring.lastClaimed + sampled.sampledOut + sampled.held
        return Accounting(
            produced: produced,
            stored: stored,
            dropped: dropped,
            torn: torn,
            sampledOut: sampled.sampledOut
        )
    }

    /// How many slots the ring has.
    public var capacity: Int { self.ring.memory.layout.slots }

    /// How many slots are taken: by events that wait for the drain, and by those whose commit is under way.
    public var slotsInUse: Int { self.ring.slotsInUse }

    /// The number for a lifetime that begins now; 0, which is no number, when the run has had 2³² - 1 of them.
    package func nextOrdinal() -> TrailEvent.ContextOrdinal {
        let lifetimes = self.ring.memory.atomic(at: RingLayout.Header.lifetimes)
        return TrailEvent.ContextOrdinal(exactly: lifetimes.pointee.wrappingAdd(1, ordering: .relaxed).newValue) ?? 0
    }

    /// The value as it may be stored under a name of which it is known whether it is secret. Here, so that the caller copies no
    /// policy.
    package func redacted(_ value: RecordedValue, underSecret isSecret: Bool) -> RecordedValue {
        self.redaction.redacted(value, underSecret: isSecret)
    }

    /// Free text as it may be stored, at most `limit` bytes of it.
    package func redacted(_ text: String, limit: Int) -> String {
        self.redaction.redacted(text, limit: limit)
    }

    /// What is to be recorded of a name in `g`.
    package func name(_ name: String) -> RecordedName { self.names[name] }

    // MARK: - Writing

    /// What a record carries, whatever its kind. A context of 0, an epoch of 0 and a thread of 0 are none. The kind of the worker is
    /// redacted.
    ///
    /// - Returns: The head, and what it does not hold itself: to be kept for as long as the head is used.
    @inline(__always)
    package func head(
        context: TrailEvent.ContextOrdinal,
        workerKind: String?,
        workerNumber: Int64,
        epoch: UInt64,
        thread: Int64,
        time: UInt64
    ) -> (head: RecordHead, wide: WideWorker?) {
        if let unit = self.recordedUnit(workerKind: workerKind, workerNumber: workerNumber, epoch: epoch) {
            return (RecordHead(context: context, unit: unit, thread: thread, time: time), nil)
        }
        let entry = workerKind.map { self.entry(ofWorkerKind: $0) } ?? .none
        let wide = WideWorker(kind: workerKind.map { self.shownKind($0) } ?? "", number: workerNumber)
        let head = RecordHead(
            context: context,
            workerKind: entry,
            workerNumber: RecordHead.wideNumber,
            epoch: epoch,
            thread: thread,
            time: time,
            wide: Unmanaged.passUnretained(wide)
        )
        return (head, wide)
    }

    /// Lends the closure such a head.
    package func withHead(
        context: TrailEvent.ContextOrdinal,
        workerKind: String?,
        workerNumber: Int64,
        epoch: UInt64,
        thread: Int64,
        time: UInt64,
        _ body: (RecordHead) -> Void
    ) {
        let (head, wide) = self.head(
            context: context,
            workerKind: workerKind,
            workerNumber: workerNumber,
            epoch: epoch,
            thread: thread,
            time: time
        )
        body(head)
        withExtendedLifetime(wide) {}
    }

    @inline(__always)
    func entry(ofWorkerKind kind: String) -> RingEntry {
        // The dictionary is a constant of the recorder, whom the caller holds. No closure: it would count the recorder.
        let dictionary = Unmanaged.passUnretained(self.dictionary)
        return dictionary._withUnsafeGuaranteedRef { $0.knownEntry(of: kind) } ?? self.newEntry(ofWorkerKind: kind)
    }

    @inline(never)
    private func newEntry(ofWorkerKind kind: String) -> RingEntry {
        self.dictionary.entry(of: kind) { self.shownKind($0) }
    }

    /// The kind of a worker, free of secrets. A long one costs more: nobody has many of them.
    private func shownKind(_ kind: String) -> String {
        kind.utf8.count <= RecordedName.limit
            ? self.names[kind].text : self.redaction.redacted(kind, limit: RingDictionary.textLimit)
    }

    /// Writes a record that needs nothing behind its first slot. Returns its number.
    @inline(__always)
    @discardableResult
    func put(_ kind: EventKind, _ head: RecordHead, _ words: RecordWords) -> UInt64 {
        if head.wide != nil || head.context >= SampleHolds.firstOrdinal {
            return self.put(kind, head, words, room: 0) { _ in }
        }
        let claim = self.ring.claim(1)
        if let position = claim.position {
            self.ring.write(position, claim.seq, kind.code, head, words)
        } else {
            self.noteDrop(claim.seq, kind)
        }
        return claim.seq
    }

    /// Writes a record with texts behind its first slot: at most `room` bytes of them. Returns its number.
    @inline(__always)
    @discardableResult
    func put(
        _ kind: EventKind,
        _ head: RecordHead,
        _ words: RecordWords,
        room: Int,
        _ write: (inout RestWriter) -> Void
    ) -> UInt64 {
        // A kind of a worker and its number come first.
        let size = room + (head.wide == nil ? 0 : RingDictionary.textLimit + 16)
        // What the closure below captured would be counted.
        let recorder = Unmanaged.passUnretained(self)
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { memory in
            var rest = RestWriter(memory)
            if let wide = head.wide { rest.add(wide) }
            write(&rest)
            return recorder._withUnsafeGuaranteedRef { $0.put(kind, head, words, rest) }
        }
    }

    @inline(__always)
    private func put(_ kind: EventKind, _ head: RecordHead, _ words: RecordWords, _ rest: RestWriter) -> UInt64 {
        if head.context >= SampleHolds.firstOrdinal, self.hold(kind, head, words, rest.bytes) { return 0 }
        let claim = self.ring.claim(RecordRing.slotCount(rest.count))
        if let position = claim.position {
            self.ring.write(position, claim.seq, kind.code, head, words, rest.bytes)
        } else {
            self.noteDrop(claim.seq, kind)
        }
        return claim.seq
    }

    @inline(never)
    func noteDrop(_ seq: UInt64, _ kind: EventKind) {
        self.ring.countDrop()
        self.drops.add(seq: seq, kind: kind)
    }

    // MARK: - The drain

    /// Makes an event that bypasses the ring: the drain's own, which must not be dropped.
    package func makeDrainEvent(
        _ body: TrailEvent.Body,
        context: TrailEvent.ContextOrdinal? = nil
    ) -> TrailEvent {
        TrailEvent(
            seq: self.ring.claimNumber(),
            monotonicNanoseconds: MonotonicClock.nanoseconds,
            thread: nil,
            worker: nil,
            epoch: nil,
            context: context,
            body: body
        )
    }

    /// Takes the next events, at most so many, in the order of their numbers; what was never finished is among them as an event
    /// of the drain's own. Their slots stay taken until ``free(_:)``. The drain's thread only.
    ///
    /// - Parameter slots: About how many slots of the ring they may take.
    package func take(atMost limit: Int, slots: Int = .max) -> RecordBatch {
        self.reading.withLock { reader in
            var batch = RecordBatch()
            let now = MonotonicClock.nanoseconds
            let begin = self.ring.readPosition
            while batch.events.count < limit, self.ring.readPosition &- begin < UInt64(slots) {
                switch reader.next(at: now) {
                case .nothing: return batch.ending(at: self.ring.readPosition)
                case .event(let event): batch.events.append(event)
                case .torn(let torn):
                    self.tornCount.wrappingAdd(1, ordering: .releasing)
                    batch.events.append(self.makeDrainEvent(.torn(torn)))
                }
            }
            return batch.ending(at: self.ring.readPosition)
        }
    }

    /// Frees the slots of a batch and of those before it, once it is committed, and counts its events as stored. The drain's
    /// thread only.
    package func free(_ batch: RecordBatch) {
        self.storedCount.wrappingAdd(UInt64(batch.events.count), ordering: .releasing)
        self.ring.free(before: batch.end)
    }

    /// Claims a number for an event that the drain writes past the ring. It must be written, and counted as stored then.
    package func claimNumber() -> UInt64 { self.ring.claimNumber() }

    /// Counts events as stored that were written past the ring.
    package func countStored(_ count: UInt64) {
        self.storedCount.wrappingAdd(count, ordering: .releasing)
    }

    /// Takes the next event, if there is one, and counts it as stored: for drains that store nowhere. The drain's thread only.
    package func takeEvent() -> TrailEvent? {
        let batch = self.take(atMost: 1)
        guard let event = batch.events.first else { return nil }
        self.free(batch)
        return event
    }

    /// Whether the ring is read no further because a record in it is being written. The drain's thread only.
    package var waitsForWriter: Bool { self.ring.isWaiting }

    /// This thread is the drain's from now on: others may wait for it, and it never waits.
    package func drainBegins() { self.ring.room?.drainBegins() }

    /// The drain has stopped: nobody waits for it any more.
    package func drainEnds() { self.ring.room?.drainEnds() }

    /// Whether the drain cannot store anything at the moment: nobody waits while it is so.
    package var isDrainFailing: Bool {
        get { self.ring.room?.isFailing ?? false }
        set { self.ring.room?.isFailing = newValue }
    }

    /// How many threads wait for room at this moment.
    package var waiters: Int { self.ring.room?.waiters ?? 0 }

    /// How much of the room for names is taken, from 0 to 1.
    package var namesFill: Double { self.dictionary.fill }

    /// Up to where the ring is claimed. What is recorded later lies behind it.
    package var claimedPosition: UInt64 { self.ring.claimedPosition }

    /// Up to where everything in the ring is committed.
    package var freedPosition: UInt64 { self.ring.freedPosition }

    /// Takes what was dropped since the last call, and says why. The drain's thread only.
    package func takeDrops(cause: TrailEvent.Drop.Cause = .ringFull) -> TrailEvent.Drop? {
        self.drops.take(cause: cause)
    }

    /// Whether something was dropped that ``takeDrops(cause:)`` has not given yet.
    package var hasDrops: Bool { self.drops.isPending }

    /// Notes in the ring how many drops databases before the present one tell of: whoever recovers the ring must not count them
    /// again. The drain's thread only.
    package func noteDropsBefore(_ count: UInt64) {
        self.ring.memory.atomic(at: RingLayout.Header.droppedBefore).pointee.store(count, ordering: .releasing)
    }
}

/// Events that were taken from a ring, and up to where.
package struct RecordBatch: Sendable {
    /// The events. The drain may add its own.
    package var events: [TrailEvent] = []
    /// The position behind the last of them.
    fileprivate(set) var end: UInt64 = 0

    fileprivate func ending(at position: UInt64) -> RecordBatch {
        var batch = self
        batch.end = position
        return batch
    }
}
