// How far the ring of a process that lives has been drained, seen from another process.

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Positions in the ring of a process that goes on recording.
package struct RingProgress: Sendable, Equatable {
    /// Everything that was recorded so far lies before this position.
    package let claimed: UInt64
    /// Everything before this position is committed, and no byte of it is left in the ring.
    package let freed: UInt64

    /// Reads the header of a ring's file. Throws ``RingError`` with `inaccessible` or `notARing`.
    package init(path: String) throws(RingError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw RingError(.inaccessible, "cannot open the ring \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        // Freed first: what is claimed in between is far less than the 2²⁴ positions that the word can tell apart.
        guard RingMemory.layout(descriptor) != nil, let freed = Self.word(at: RingLayout.Header.freed, descriptor),
            let claimed = Self.word(at: RingLayout.Header.claimed, descriptor)
        else {
            throw RingError(.notARing, "\(path) is no ring of this version, or is cut: look for a newer contrail")
        }
        self.freed = freed
        self.claimed = RecordRing.split(claimed, freed: freed).position
    }

    private static func word(at offset: Int, _ descriptor: CInt) -> UInt64? {
        var word: UInt64 = 0
        let size = MemoryLayout<UInt64>.size
        return pread(descriptor, &word, size, off_t(offset)) == size ? word : nil
    }
}
