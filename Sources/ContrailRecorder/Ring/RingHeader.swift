// What the file of a ring says about itself: whose it is, and what its times mean.

private import Synchronization

/// The header of a ring's file.
package struct RingHeader: Sendable {
    /// The UUID of the run.
    package let runUUID: String
    /// The boot of the machine in which it was written.
    package let bootID: String
    /// The process that wrote it.
    package let processID: Int32
    /// The wall clock, in microseconds of UTC, at the moment of ``anchorMonotonic``.
    package let anchorWall: Int64
    /// The monotonic clock, in nanoseconds, at the moment of ``anchorWall``.
    package let anchorMonotonic: UInt64
    /// How many events the full ring refused in the whole run.
    package let dropped: UInt64
    /// How many of these a database tells of that was set aside.
    package let droppedBefore: UInt64
    /// What else is known of the process.
    package let owner: RingOwner
    /// Whether something is in the ring, or was refused, that no database has.
    package let hasNews: Bool

    init(_ memory: RingMemory) {
        let base = memory.base
        self.runUUID = Self.text(at: RingLayout.Header.runUUID, in: base)
        self.bootID = Self.text(at: RingLayout.Header.bootID, in: base)
        self.processID = base.load(fromByteOffset: RingLayout.Header.processID, as: Int32.self)
        self.anchorWall = base.load(fromByteOffset: RingLayout.Header.anchorWall, as: Int64.self)
        self.anchorMonotonic = base.load(fromByteOffset: RingLayout.Header.anchorMonotonic, as: UInt64.self)
        self.droppedBefore = memory.atomic(at: RingLayout.Header.droppedBefore).pointee.load(ordering: .acquiring)
        self.dropped = memory.atomic(at: RingLayout.Header.dropped).pointee.load(ordering: .acquiring)
        self.owner = RingOwner(memory)
        let freed = memory.atomic(at: RingLayout.Header.freed).pointee.load(ordering: .acquiring)
        let claimed = memory.atomic(at: RingLayout.Header.claimed).pointee.load(ordering: .acquiring)
        self.hasNews = RecordRing.split(claimed, freed: freed).position > freed || self.dropped > self.droppedBefore
    }

    private static func text(at offset: Int, in base: UnsafeMutableRawPointer) -> String {
        let bytes = UnsafeRawBufferPointer(start: base + offset, count: 36)
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}
