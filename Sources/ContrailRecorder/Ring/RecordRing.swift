// The slots of a ring: claimed by those who record, read and freed by the one who drains.

internal import Synchronization

/// The slots of one ring, for many writers and one reader. Nobody waits: a full ring refuses, unless it was made with a signal
/// to wait for.
///
/// One word holds the last number and the next position together: `number · 2²⁴ + position`, without a border between the two.
/// A record claims its number and its slots by one exchange of this word; a record that is refused takes its number alone. The
/// position itself follows from the word and from how far slots are free again, for no two positions in flight are 2²⁴ apart.
///
/// A record is there when the first word of its first slot says so, which is written last. The reader sees records in the order
/// of their numbers. Slots are free again when the drain says so, after a commit, and not when they were read.
///
/// @unchecked Sendable: a slot is written by the thread that claimed it alone, until its commit word is stored with release;
/// the reader's cursor is touched by the drain's thread alone.
package final class RecordRing: @unchecked Sendable {
    static let positionBits: UInt64 = 24
    private static let positionMask: UInt64 = 1 << positionBits - 1
    /// In the count of slots of a commit word: the record is being written.
    private static let unfinished: UInt64 = 0x8000

    let memory: RingMemory
    private let slots: UnsafeMutableRawPointer
    private let mask: UInt64
    let capacity: UInt64
    private let salt: UInt64
    let claimed: UnsafeMutablePointer<Atomic<UInt64>>
    private let freed: UnsafeMutablePointer<Atomic<UInt64>>

    /// Where those wait who find the ring full; nil when they do not wait.
    package let room: RoomSignal?

    /// Where the reader reads next.
    private var cursor: UInt64 = 0
    /// How long the reader has waited for the record at its cursor.
    private var wait = UnfinishedWait()

    /// Makes the slots of a ring usable. One object for each ring that is written.
    ///
    /// - Parameter room: Where those wait who find it full; nil when they do not wait.
    package init(_ memory: RingMemory, room: RoomSignal? = nil) {
        self.memory = memory
        self.room = room
        self.slots = memory.base + memory.layout.slotsOffset
        self.capacity = UInt64(memory.layout.slots)
        self.mask = self.capacity - 1
        self.salt = memory.salt
        self.claimed = memory.atomic(at: RingLayout.Header.claimed)
        self.freed = memory.atomic(at: RingLayout.Header.freed)
        // A ring that another process left goes on where its drain stopped, which may have been in the middle of wiping.
        let freed = self.freed.pointee.load(ordering: .acquiring)
        let committed = memory.atomic(at: RingLayout.Header.committed).pointee.load(ordering: .acquiring)
        self.cursor = committed > freed && committed - freed <= UInt64(memory.layout.slots) ? committed : freed
    }

    // MARK: - Writing

    /// A number, and the slots that are claimed for it.
    package struct Claim {
        /// The number of the event.
        package let seq: UInt64
        /// The position of the first slot; nil when the ring was full.
        package let position: UInt64?
    }

    /// Claims a number and so many slots. Any thread.
    @inline(__always)
    package func claim(_ count: UInt64) -> Claim {
        var word = self.claimed.pointee.load(ordering: .relaxed)
        while true {
            let freed = self.freed.pointee.load(ordering: .acquiring)
            let position = freed &+ ((word &- freed) & Self.positionMask)
            let seq = (word &- position) >> Self.positionBits + 1
            let isFree = position &- freed &+ count <= self.capacity
            if !isFree {
                // Slots may have been freed since the word was read: then it only looks as if the ring were full.
                let again = self.claimed.pointee.load(ordering: .relaxed)
                if again != word {
                    word = again
                    continue
                }
                if let room { return self.claimPatiently(count, room) }
            }
            let (isClaimed, seen) = self.claimed.pointee.weakCompareExchange(
                expected: word,
                desired: word &+ (1 << Self.positionBits) &+ (isFree ? count : 0),
                ordering: .relaxed
            )
            if isClaimed { return Claim(seq: seq, position: isFree ? position : nil) }
            word = seen
        }
    }

    /// Counts a refusal where whoever finds the ring after a crash can read it. Any thread.
    func countDrop() {
        self.memory.atomic(at: RingLayout.Header.dropped).pointee.wrappingAdd(1, ordering: .relaxed)
    }

    /// Claims a number without slots, for an event that does not go through the ring. Any thread.
    func claimNumber() -> UInt64 {
        let word = self.claimed.pointee.wrappingAdd(1 << Self.positionBits, ordering: .relaxed).newValue
        return self.split(word).seq
    }

    /// The last number and the next position.
    func split(_ word: UInt64) -> (seq: UInt64, position: UInt64) {
        Self.split(word, freed: self.freed.pointee.load(ordering: .acquiring))
    }

    /// The same from how far slots are free.
    static func split(_ word: UInt64, freed: UInt64) -> (seq: UInt64, position: UInt64) {
        let position = freed &+ ((word &- freed) & Self.positionMask)
        return ((word &- position) >> Self.positionBits, position)
    }

    /// The last number that was claimed.
    package var lastClaimed: UInt64 { self.state.seq }

    /// The last number and the next position, at one moment.
    private var state: (seq: UInt64, position: UInt64) {
        while true {
            let word = self.claimed.pointee.load(ordering: .acquiring)
            let state = self.split(word)
            // The word must not be older than what it is compared with.
            if self.claimed.pointee.load(ordering: .acquiring) == word { return state }
        }
    }

    /// How many slots are taken: read or not, they are not free.
    package var slotsInUse: Int {
        // Read first: the drain may free what lies before a position that is read later, never behind it.
        let freed = self.freed.pointee.load(ordering: .acquiring)
        return Int(min(self.state.position &- freed, self.capacity))
    }

    /// The position that is claimed next, and the one up to which slots are free: everything before it is committed.
    var claimedPosition: UInt64 { self.state.position }
    var freedPosition: UInt64 { self.freed.pointee.load(ordering: .acquiring) }

    /// Writes a record that fits in one slot, and shows it.
    @inline(__always)
    package func write(
        _ claim: UInt64,
        _ seq: UInt64,
        _ kind: UInt8,
        _ head: RecordHead,
        _ words: RecordWords
    ) {
        let slot = self.slot(claim)
        self.begin(slot, claim, slots: 1)
        let checksum = self.fill(slot, claim, seq, kind, head, words, rest: 0)
        self.commit(slot, claim, slots: 1, checksum.value)
    }

    /// Writes a record with more behind its first slot, and shows it.
    package func write(
        _ claim: UInt64,
        _ seq: UInt64,
        _ kind: UInt8,
        _ head: RecordHead,
        _ words: RecordWords,
        _ rest: UnsafeRawBufferPointer
    ) {
        let slot = self.slot(claim)
        let count = Self.slotCount(rest.count)
        self.begin(slot, claim, slots: count)
        var checksum = self.fill(slot, claim, seq, kind, head, words, rest: rest.count)
        checksum.add(rest)
        self.copy(rest, to: claim &+ 1)
        self.commit(slot, claim, slots: count, checksum.value)
    }

    /// How many slots a record needs with so many bytes behind its first slot.
    @inline(__always)
    package static func slotCount(_ rest: Int) -> UInt64 {
        UInt64(1 + (rest + RingLayout.slotSize - 1) / RingLayout.slotSize)
    }

    @inline(__always)
    private func slot(_ position: UInt64) -> UnsafeMutableRawPointer {
        self.slots + Int(position & self.mask) * RingLayout.slotSize
    }

    @inline(__always)
    private func fill(
        _ slot: UnsafeMutableRawPointer,
        _ position: UInt64,
        _ seq: UInt64,
        _ kind: UInt8,
        _ head: RecordHead,
        _ words: RecordWords,
        rest: Int
    ) -> RingChecksum {
        let identity = seq << 24 | UInt64(kind) << 16 | UInt64(rest)
        let hands = UInt64(UInt32(truncatingIfNeeded: head.thread)) | UInt64(head.workerNumber) << 32
        let unit = head.epoch << 16 | UInt64(head.workerKind.rawValue)
        slot.storeBytes(of: head.context, toByteOffset: RingLayout.Slot.context, as: UInt32.self)
        slot.storeBytes(of: identity, toByteOffset: RingLayout.Slot.identity, as: UInt64.self)
        slot.storeBytes(of: head.time, toByteOffset: RingLayout.Slot.time, as: UInt64.self)
        slot.storeBytes(of: hands, toByteOffset: RingLayout.Slot.thread, as: UInt64.self)
        slot.storeBytes(of: unit, toByteOffset: RingLayout.Slot.unit, as: UInt64.self)
        slot.storeBytes(of: words.first, toByteOffset: RingLayout.Slot.first, as: UInt64.self)
        slot.storeBytes(of: words.second, toByteOffset: RingLayout.Slot.second, as: UInt64.self)
        var checksum = RingChecksum(salt: self.salt ^ UInt64(head.context), position: position)
        checksum.add(identity, head.time)
        checksum.add(hands, unit)
        checksum.add(words.first, words.second)
        return checksum
    }

    /// Says how many slots are being written, so that the reader can pass them when their writer never ends.
    @inline(__always)
    private func begin(_ slot: UnsafeMutableRawPointer, _ position: UInt64, slots: UInt64) {
        self.commitWord(slot).pointee.store(Self.commitWord(position, Self.unfinished | slots), ordering: .relaxed)
    }

    @inline(__always)
    private func commit(_ slot: UnsafeMutableRawPointer, _ position: UInt64, slots: UInt64, _ checksum: UInt32) {
        slot.storeBytes(of: checksum, toByteOffset: RingLayout.Slot.checksum, as: UInt32.self)
        self.commitWord(slot).pointee.store(Self.commitWord(position, slots), ordering: .releasing)
    }

    @inline(__always)
    private func commitWord(_ slot: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt64>> {
        slot.assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private static func commitWord(_ position: UInt64, _ slots: UInt64) -> UInt64 { (position &+ 1) << 16 | slots }

    private func copy(_ bytes: UnsafeRawBufferPointer, to position: UInt64) {
        guard let source = bytes.baseAddress else { return }
        // What does not fit before the end of the ring goes to its beginning.
        let start = Int(position & self.mask) * RingLayout.slotSize
        let first = min(bytes.count, Int(self.capacity) * RingLayout.slotSize - start)
        (self.slots + start).copyMemory(from: source, byteCount: first)
        if first < bytes.count { self.slots.copyMemory(from: source + first, byteCount: bytes.count - first) }
    }

    // MARK: - Reading

    /// What lies at the reader's cursor.
    package enum Reading {
        /// Nothing that could be read now.
        case nothing
        /// A record. It is behind the cursor now.
        case record(RawRecord)
        /// Slots of one record that was begun and never finished; they are behind the cursor now.
        case torn(slots: Int)
    }

    /// Reads on. The drain's thread only.
    ///
    /// - Parameter now: The monotonic clock, in nanoseconds. `UInt64.max` says that all writers are gone.
    package func read(at now: UInt64) -> Reading {
        let state = self.state
        // A foreign file may say anything; no ring holds more than its slots, counted from where they are free.
        let freed = self.freed.pointee.load(ordering: .acquiring)
        let end = min(state.position, freed &+ self.capacity)
        guard self.cursor < end else { return .nothing }
        if let record = self.record(at: self.cursor, before: end) {
            self.wait.end()
            self.cursor &+= record.slots
            return .record(record)
        }
        let isTight = (end &- freed) * 2 > self.capacity
        guard now == .max || self.wait.isOver(at: now, isTight: isTight) else { return .nothing }
        // Whoever claimed this was killed, or stands still: on to the next record.
        let torn = self.unfinishedSlots(at: self.cursor, before: end)
        self.cursor &+= torn
        self.wait.end()
        return .torn(slots: Int(torn))
    }

    /// How many slots the record takes that was begun at a position. Where its writer said nothing, up to the next that is begun.
    private func unfinishedSlots(at position: UInt64, before end: UInt64) -> UInt64 {
        if let count = self.begun(at: position) { return min(count, end &- position) }
        var next = position &+ 1
        while next != end, self.begun(at: next) == nil { next &+= 1 }
        return next &- position
    }

    /// How many slots the record takes that begins at a position, finished or not; nil when none does.
    private func begun(at position: UInt64) -> UInt64? {
        let word = self.commitWord(self.slot(position)).pointee.load(ordering: .acquiring)
        let count = word & ~Self.unfinished & 0xFFFF
        return word >> 16 == (position &+ 1) & 0xFFFF_FFFF_FFFF && count > 0 ? count : nil
    }

    /// The record at a position, if a whole one is there.
    private func record(at position: UInt64, before end: UInt64) -> RawRecord? {
        let slot = UnsafeRawPointer(self.slot(position))
        let word = self.commitWord(self.slot(position)).pointee.load(ordering: .acquiring)
        let count = word & 0xFFFF
        guard word >> 16 == (position &+ 1) & 0xFFFF_FFFF_FFFF, count > 0,
            count & Self.unfinished == 0, count <= end &- position
        else { return nil }
        let record = RawRecord(slot, position: position, slots: count)
        guard Self.slotCount(record.restCount) == count else { return nil }
        return self.rest(of: record, at: position) { rest in
            var checksum = RingChecksum(salt: self.salt ^ UInt64(record.context), position: position)
            checksum.add(record.identity, record.time)
            checksum.add(record.hands, record.unit)
            checksum.add(record.words.first, record.words.second)
            if !rest.isEmpty { checksum.add(rest) }
            return checksum.value == record.checksum ? record : nil
        }
    }

    /// Lends the bytes behind the first slot of a record.
    package func rest<Result>(of record: RawRecord, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        self.rest(of: record, at: record.position, body)
    }

    private func rest<Result>(
        of record: RawRecord,
        at position: UInt64,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let start = Int((position &+ 1) & self.mask) * RingLayout.slotSize
        let size = Int(self.capacity) * RingLayout.slotSize
        let count = record.restCount
        if start + count <= size { return body(UnsafeRawBufferPointer(start: self.slots + start, count: count)) }
        let tail = UnsafeRawBufferPointer(start: self.slots + start, count: size - start)
        let head = UnsafeRawBufferPointer(start: self.slots, count: count - tail.count)
        return (Array(tail) + Array(head)).withUnsafeBytes(body)
    }

    /// Whether the reader waits for a record that was claimed and is not there. The drain's thread only.
    package var isWaiting: Bool { self.wait.isUnderWay }

    /// How far the reader has read.
    package var readPosition: UInt64 { self.cursor }

    /// Frees the slots before a position: what was in them is safe elsewhere. The drain's thread only.
    ///
    /// In a file they are wiped first, so that a value that is erased from the database later is not left in the ring. Whoever
    /// finds the ring while that is done must not take wiped slots for torn ones: the new position is written down before.
    package func free(before position: UInt64) {
        let freed = self.freed.pointee.load(ordering: .relaxed)
        if self.memory.path != nil, position != freed {
            self.memory.atomic(at: RingLayout.Header.committed).pointee.store(position, ordering: .releasing)
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            self.wipe(from: freed, count: Int(clamping: min(position &- freed, self.capacity)))
        }
        self.freed.pointee.store(position, ordering: .releasing)
        self.room?.announce()
    }

    private func wipe(from position: UInt64, count: Int) {
        let start = Int(position & self.mask)
        // What does not fit before the end of the ring is at its beginning.
        let first = min(count, Int(self.capacity) - start)
        let size = RingLayout.slotSize
        (self.slots + start * size).initializeMemory(as: UInt8.self, repeating: 0, count: first * size)
        self.slots.initializeMemory(as: UInt8.self, repeating: 0, count: (count - first) * size)
    }
}
