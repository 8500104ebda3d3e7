// Where everything lies in the memory of a ring, and how a record is laid out in its slots.

/// The layout of a ring: a header page, a dictionary of names, and slots of 64 bytes.
///
/// A ring may be read by another process after its own was killed, so this is a file format: numbers are in the order of the
/// machine's bytes, and what changes it changes ``version``.
package struct RingLayout: Sendable, Equatable {
    /// `contrail` in ASCII, as a number in the machine's order of bytes.
    package static let magic: UInt64 = 0x6C69_6172_746E_6F63
    /// The version of the layout.
    package static let version: UInt32 = 1
    /// The size of a slot, and of a cell of the dictionary, in bytes.
    package static let slotSize = 64
    /// The size of the header, in bytes.
    static let headerSize = 4096
    /// A ring has at most so many slots: positions of records in flight are told apart by their lower 24 bits.
    package static let mostSlots = 1 << 20
    /// An entry of the dictionary is named by 16 bits, of which two values mean something else.
    static let mostCells = 1 << 15

    /// How many slots there are: a power of two.
    package let slots: Int
    /// How many cells the dictionary has.
    package let cells: Int

    /// Lays out a ring of at least so many slots, rounded up to a power of two from 2 to ``mostSlots``.
    package init(slots: Int) {
        var size = 2
        while size < min(slots, Self.mostSlots) { size *= 2 }
        self.slots = size
        // An eighth of the slots: a name is written once, and records refer to it.
        self.cells = min(max(size / 8, 64), Self.mostCells)
    }

    /// The layout that a header describes; nil when no ring has it.
    init?(slots: Int, cells: Int) {
        guard slots >= 2, slots <= Self.mostSlots, slots & (slots - 1) == 0, cells >= 1, cells <= Self.mostCells else {
            return nil
        }
        self.slots = slots
        self.cells = cells
    }

    /// Where the dictionary begins, in bytes.
    package var dictionaryOffset: Int { Self.headerSize }
    /// Where the slots begin, in bytes.
    package var slotsOffset: Int { Self.headerSize + self.cells * Self.slotSize }
    /// The size of the whole, in bytes.
    package var byteCount: Int { self.slotsOffset + self.slots * Self.slotSize }

    /// Offsets into the header. What different threads write lies on cache lines of its own.
    package enum Header {
        static let magic = 0
        static let version = 8
        static let slots = 12
        static let cells = 16
        static let processID = 20
        package static let salt = 24
        /// The wall clock, in microseconds of UTC, at the moment of ``anchorMonotonic``.
        static let anchorWall = 32
        /// The monotonic clock, in nanoseconds, at the moment of ``anchorWall``.
        static let anchorMonotonic = 40
        /// The run's UUID as 36 bytes of text.
        static let runUUID = 48
        /// The id of the machine's boot as 36 bytes of text.
        static let bootID = 84
        /// Numbers and positions that are claimed: ``RecordRing``.
        package static let claimed = 128
        /// The position up to which slots are free again.
        package static let freed = 192
        /// The position up to which everything is committed: what lies between ``freed`` and this is being wiped. 0 when nothing is.
        package static let committed = 200
        /// How many events were refused because the ring was full.
        static let dropped = 256
        /// How many of these an earlier database of the run tells of.
        static let droppedBefore = 264
        /// How many cells of the dictionary are taken.
        static let cellsTaken = 320
        /// The number of the last lifetime.
        static let lifetimes = 384
        /// What the run's row says of its process, in texts that end with a zero byte: all empty in rings of earlier versions.
        static let owner = 512
    }

    /// Offsets into the first slot of a record.
    ///
    /// The commit word is the position + 1 (48 bits) above the number of slots (16 bits); it is written last. The identity is the
    /// number of the event (40 bits), its kind (8 bits), and how many bytes lie behind the first slot (16 bits).
    package enum Slot {
        package static let commit = 0
        package static let checksum = 8
        package static let context = 12
        package static let identity = 16
        package static let time = 24
        package static let thread = 32
        package static let workerNumber = 36
        /// The epoch (48 bits) above the entry of the worker's kind (16 bits).
        package static let unit = 40
        package static let first = 48
        package static let second = 56
    }
}
