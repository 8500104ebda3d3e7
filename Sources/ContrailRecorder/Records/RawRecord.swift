// A record before it is decoded: what its first slot holds.

/// The two words of a record that depend on its kind.
package struct RecordWords: Sendable {
    /// The first word.
    package let first: UInt64
    /// The second word.
    package let second: UInt64

    /// Two words, whose meaning is that of the kind.
    package init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }
}

/// A record as it lies in its first slot.
package struct RawRecord: Sendable {
    let position: UInt64
    /// How many slots it takes.
    package let slots: UInt64
    let checksum: UInt32
    let context: UInt32
    let identity: UInt64
    let time: UInt64
    let hands: UInt64
    let unit: UInt64
    /// What depends on its kind.
    package let words: RecordWords

    init(_ slot: UnsafeRawPointer, position: UInt64, slots: UInt64) {
        self.position = position
        self.slots = slots
        self.checksum = slot.load(fromByteOffset: RingLayout.Slot.checksum, as: UInt32.self)
        self.context = slot.load(fromByteOffset: RingLayout.Slot.context, as: UInt32.self)
        self.identity = slot.load(fromByteOffset: RingLayout.Slot.identity, as: UInt64.self)
        self.time = slot.load(fromByteOffset: RingLayout.Slot.time, as: UInt64.self)
        self.hands = slot.load(fromByteOffset: RingLayout.Slot.thread, as: UInt64.self)
        self.unit = slot.load(fromByteOffset: RingLayout.Slot.unit, as: UInt64.self)
        self.words = RecordWords(
            first: slot.load(fromByteOffset: RingLayout.Slot.first, as: UInt64.self),
            second: slot.load(fromByteOffset: RingLayout.Slot.second, as: UInt64.self)
        )
    }

    /// The number of its event.
    package var seq: UInt64 { self.identity >> 24 }
    var kind: UInt8 { UInt8(truncatingIfNeeded: self.identity >> 16) }
    /// How many bytes lie behind the first slot.
    var restCount: Int { Int(self.identity & 0xFFFF) }
    /// The thread that wrote it; 0 when it had none.
    package var thread: Int64 { Int64(Int32(truncatingIfNeeded: self.hands)) }
    var workerNumber: UInt32 { UInt32(truncatingIfNeeded: self.hands >> 32) }
    var epoch: UInt64 { self.unit >> 16 }
    var workerKind: RingEntry { RingEntry(rawValue: UInt16(truncatingIfNeeded: self.unit)) }
}
