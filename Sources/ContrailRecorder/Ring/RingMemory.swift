// The memory of a ring: the process's own, or a file that outlives it.

internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// `open` of the system, which a method of that name hides.
private func systemOpen(_ path: String, _ flags: CInt, _ mode: mode_t = 0) -> CInt { open(path, flags, mode) }

/// The mapped memory of one ring. It is unmapped when nobody holds it any more; the file, if there is one, stays.
///
/// @unchecked Sendable: the address is a constant, and what lies there is shared by the rules of ``RecordRing`` and
/// ``RingDictionary``.
package final class RingMemory: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    package let layout: RingLayout
    /// The file; nil for memory of the process alone.
    package let path: String?

    private let isMapped: Bool

    private init(base: UnsafeMutableRawPointer, layout: RingLayout, path: String?, isMapped: Bool) {
        self.base = base
        self.layout = layout
        self.path = path
        self.isMapped = isMapped
    }

    deinit {
        if self.isMapped { munmap(self.base, self.layout.byteCount) } else { self.base.deallocate() }
    }

    /// Memory of the process alone: what is in it dies with the process. A system that gives no mapping of this size gets the
    /// largest ring that it gives one for, and a small one on the heap when it gives none.
    package static func ofProcess(_ layout: RingLayout) -> RingMemory {
        var layout = layout
        var mapped = self.map(layout.byteCount, MAP_PRIVATE | MAP_ANONYMOUS, -1)
        while mapped == nil, layout.slots > Self.leastSlots {
            layout = RingLayout(slots: layout.slots / 2)
            mapped = self.map(layout.byteCount, MAP_PRIVATE | MAP_ANONYMOUS, -1)
        }
        let memory =
            if let base = mapped {
                RingMemory(base: base, layout: layout, path: nil, isMapped: true)
            } else {
                RingMemory.onHeap(layout)
            }
        memory.writeHeader()
        return memory
    }

    /// From here on a ring is looked for on the heap.
    private static let leastSlots = 256

    private static func onHeap(_ layout: RingLayout) -> RingMemory {
        let base = UnsafeMutableRawPointer.allocate(byteCount: layout.byteCount, alignment: RingLayout.slotSize)
        base.initializeMemory(as: UInt8.self, repeating: 0, count: layout.byteCount)
        return RingMemory(base: base, layout: layout, path: nil, isMapped: false)
    }

    /// A new file, mapped. Every byte of it is allocated: on a full disk this throws, where a sparse file would kill the
    /// process later.
    package static func create(_ layout: RingLayout, at path: String) throws(RingError) -> RingMemory {
        let descriptor = systemOpen(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw RingError(.inaccessible, "cannot create the ring \(path): \(Self.reason(errno))")
        }
        // The mapping keeps the file; no lock hangs on this descriptor.
        defer { close(descriptor) }
        let failure = posix_fallocate(descriptor, 0, off_t(layout.byteCount))
        guard failure == 0 else {
            unlink(path)
            throw RingError(
                .noRoom,
                "cannot reserve \(layout.byteCount) bytes for the ring \(path): \(Self.reason(failure))"
            )
        }
        guard let base = self.map(layout.byteCount, MAP_SHARED, descriptor) else {
            let failure = errno
            unlink(path)
            throw RingError(.inaccessible, "cannot map the ring \(path): \(Self.reason(failure))")
        }
        let memory = RingMemory(base: base, layout: layout, path: path, isMapped: true)
        memory.writeHeader()
        return memory
    }

    /// The file of a ring that its process has left, mapped so that nothing is written back to it.
    static func open(_ path: String) throws(RingError) -> RingMemory {
        let descriptor = systemOpen(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw RingError(.inaccessible, "cannot open the ring \(path): \(Self.reason(errno))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw RingError(.inaccessible, "cannot examine the ring \(path): \(Self.reason(errno))")
        }
        let size = Int(status.st_size)
        // Shared memory is everybody's: what somebody else has put there must neither block nor be believed.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() || geteuid() == 0 else {
            throw RingError(.notARing, "\(path) is no file of this user: recover as the user who wrote the ring")
        }
        guard let layout = Self.layout(descriptor), layout.byteCount == size else {
            throw RingError(
                .notARing,
                "\(path) is no ring of this version, or is cut: look for an older or newer contrail"
            )
        }
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw RingError(.inaccessible, "cannot map the ring \(path): \(Self.reason(errno))")
        }
        return RingMemory(base: base, layout: layout, path: path, isMapped: true)
    }

    /// The layout that the header of a file describes.
    static func layout(_ descriptor: CInt) -> RingLayout? {
        withUnsafeTemporaryAllocation(byteCount: 24, alignment: 8) { header in
            guard let start = header.baseAddress, pread(descriptor, start, 24, 0) == 24,
                start.load(as: UInt64.self) == RingLayout.magic,
                start.load(fromByteOffset: RingLayout.Header.version, as: UInt32.self) == RingLayout.version
            else { return nil }
            return RingLayout(
                slots: Int(start.load(fromByteOffset: RingLayout.Header.slots, as: UInt32.self)),
                cells: Int(start.load(fromByteOffset: RingLayout.Header.cells, as: UInt32.self))
            )
        }
    }

    /// Gives up the file: nobody needs what is in it any more.
    package func removeFile() {
        if let path { unlink(path) }
    }

    private static func reason(_ number: CInt) -> String { String(cString: strerror(number)) }

    /// Maps memory with every page present: a page fault may wait for the disk.
    private static func map(_ byteCount: Int, _ flags: CInt, _ descriptor: CInt) -> UnsafeMutableRawPointer? {
        #if os(Linux)
        let flags = flags | MAP_POPULATE
        #endif
        guard let base = mmap(nil, byteCount, PROT_READ | PROT_WRITE, flags, descriptor, 0), base != MAP_FAILED else {
            return nil
        }
        return base
    }

    // MARK: - The header

    private func writeHeader() {
        var generator = SystemRandomNumberGenerator()
        self.base.storeBytes(of: RingLayout.version, toByteOffset: RingLayout.Header.version, as: UInt32.self)
        self.base.storeBytes(of: UInt32(self.layout.slots), toByteOffset: RingLayout.Header.slots, as: UInt32.self)
        self.base.storeBytes(of: UInt32(self.layout.cells), toByteOffset: RingLayout.Header.cells, as: UInt32.self)
        self.base.storeBytes(of: getpid(), toByteOffset: RingLayout.Header.processID, as: Int32.self)
        self.base.storeBytes(of: generator.next(), toByteOffset: RingLayout.Header.salt, as: UInt64.self)
        self.base.storeBytes(of: RingLayout.magic, as: UInt64.self)
    }

    /// What checksums begin with: it differs from ring to ring, so that no text can pose as a record.
    var salt: UInt64 { self.base.load(fromByteOffset: RingLayout.Header.salt, as: UInt64.self) }

    /// Notes whose ring it is, and what its times mean.
    package func identify(
        runUUID: String,
        bootID: String,
        owner: RingOwner,
        wallMicroseconds: Int64,
        monotonicNanoseconds: UInt64
    ) {
        owner.write(to: self)
        self.store(runUUID, at: RingLayout.Header.runUUID)
        self.store(bootID, at: RingLayout.Header.bootID)
        self.base.storeBytes(of: wallMicroseconds, toByteOffset: RingLayout.Header.anchorWall, as: Int64.self)
        self.base.storeBytes(of: monotonicNanoseconds, toByteOffset: RingLayout.Header.anchorMonotonic, as: UInt64.self)
    }

    private func store(_ text: String, at offset: Int) {
        for (index, byte) in text.utf8.prefix(36).enumerated() {
            self.base.storeBytes(of: byte, toByteOffset: offset + index, as: UInt8.self)
        }
    }

    /// A number in the header or in a slot that several threads use.
    @inline(__always)
    func atomic(at offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (self.base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
