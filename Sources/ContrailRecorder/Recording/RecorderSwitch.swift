// The level of a recorder, in memory that a forked child finds empty.

public import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// Holds the level of one recorder. In a child that the process forks the level is off: the ring is its parent's, and the
/// kernel clears this page for it.
///
/// @unchecked Sendable: the address is a constant, and what lies there is an atomic number.
final class RecorderSwitch: @unchecked Sendable {
    private static let size = 4096
    #if os(Linux)
    /// `MADV_WIPEONFORK` of Linux 4.14, which the C library's header hides from Swift.
    private static let wipeOnFork: CInt = 18
    #endif

    private let page: UnsafeMutableRawPointer
    private let isMapped: Bool

    init(level: UInt8) {
        let mapped = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        if let mapped, mapped != MAP_FAILED {
            self.page = mapped
            self.isMapped = true
            #if os(Linux)
            madvise(mapped, Self.size, Self.wipeOnFork)
            #endif
        } else {
            // Out of mappings: a child of this process would record, and nothing else is different.
            self.page = .allocate(byteCount: Self.size, alignment: 64)
            self.isMapped = false
        }
        self.level.initialize(to: Atomic(level))
    }

    deinit {
        if self.isMapped { munmap(self.page, Self.size) } else { self.page.deallocate() }
    }

    @inline(__always)
    var level: UnsafeMutablePointer<Atomic<UInt8>> { self.page.assumingMemoryBound(to: Atomic<UInt8>.self) }
}

/// Says whether a recorder records, without asking the recorder. For those who hold it.
///
/// @unchecked Sendable: the address is a constant, the page there lives as long as the recorder, and all that is done with it is an
/// atomic load.
@usableFromInline
package struct RecordingIndicator: @unchecked Sendable {
    @usableFromInline let level: UnsafeMutablePointer<Atomic<UInt8>>

    init(_ power: RecorderSwitch) {
        self.level = power.level
    }

    /// Whether anything is recorded at all: one relaxed load.
    ///
    /// The level that records nothing is 0, as is the page in a forked child.
    @inlinable package var isRecording: Bool { self.level.pointee.load(ordering: .relaxed) != 0 }
}
