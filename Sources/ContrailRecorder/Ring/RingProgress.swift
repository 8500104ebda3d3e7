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
        while true {
            guard let first = Self.words(descriptor), let second = Self.words(descriptor) else {
                throw RingError(.notARing, "\(path) is no ring of this version, or is cut: look for a newer contrail")
            }
            // The process goes on meanwhile: the two words belong together when neither moved.
            guard first == second else { continue }
            self.claimed = RecordRing.split(first.claimed, freed: first.freed).position
            self.freed = first.freed
            return
        }
    }

    private static func words(_ descriptor: CInt) -> (claimed: UInt64, freed: UInt64)? {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 8) { header in
            guard let start = header.baseAddress, pread(descriptor, start, 256, 0) == 256,
                start.load(as: UInt64.self) == RingLayout.magic,
                start.load(fromByteOffset: RingLayout.Header.version, as: UInt32.self) == RingLayout.version
            else { return nil }
            return (
                start.load(fromByteOffset: RingLayout.Header.claimed, as: UInt64.self),
                start.load(fromByteOffset: RingLayout.Header.freed, as: UInt64.self)
            )
        }
    }
}
