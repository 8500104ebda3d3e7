// The names that records refer to by number, kept in the ring, so that they outlive the process with it.

private import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A text in a ring's dictionary, by its number; or none, or one that is written out in the record.
struct RingEntry: Equatable, Sendable {
    let rawValue: UInt16

    /// The text follows in the record: the dictionary is full, or the text is not one of a bounded set.
    static let inline = RingEntry(rawValue: 0)
    /// There is no text.
    static let none = RingEntry(rawValue: .max)
}

/// The dictionary of one ring: texts of bounded sets, each written once.
///
/// A text takes whole cells: a word that commits it, with its length and a checksum, and its bytes. Finding one takes no lock;
/// writing one does, which each text does once. A full dictionary refuses, and the text goes into the record.
///
/// @unchecked Sendable: cells and the table of numbers are written under the lock, before the release store that shows them.
package final class RingDictionary: @unchecked Sendable {
    /// No text of the dictionary is longer, in bytes.
    static let textLimit = 256

    private let memory: RingMemory
    private let cells: UnsafeMutableRawPointer
    /// From hashes to entries: open addressing, 0 is free. Twice as many places as there can be texts.
    private let table: UnsafeMutablePointer<Atomic<UInt16>>
    private let mask: Int
    private let sites: SiteTable
    private let known = KnownTexts()
    private let writing = Mutex<Void>(())
    /// Whether a text did not fit.
    private let hasRefused = Atomic<Bool>(false)

    init(_ memory: RingMemory) {
        self.memory = memory
        self.cells = memory.base + memory.layout.dictionaryOffset
        var places = 128
        while places < memory.layout.cells * 2 { places *= 2 }
        self.mask = places - 1
        self.table = .allocate(capacity: places)
        for index in 0..<places { (self.table + index).initialize(to: Atomic(0)) }
        self.sites = SiteTable(places: places)
    }

    deinit {
        self.table.deinitialize(count: self.mask + 1)
        self.table.deallocate()
    }

    /// How much of it is taken, from 0 to 1: it is full when the next text does not fit, which need not fill it to the last cell.
    var fill: Double {
        if self.hasRefused.load(ordering: .relaxed) { return 1 }
        let taken = self.memory.atomic(at: RingLayout.Header.cellsTaken).pointee.load(ordering: .relaxed)
        return Double(taken) / Double(self.memory.layout.cells)
    }

    /// The entry of a text, which is written when it is new; ``RingEntry/inline`` when there is no room. Any thread.
    @inline(__always)
    func entry(of text: String) -> RingEntry { self.knownEntry(of: text) ?? self.readEntry(of: text) }

    /// The entry of what is shown of a text, which is asked for when the text is new. Any thread.
    @inline(__always)
    func entry(of text: String, shown: (String) -> String) -> RingEntry {
        self.knownEntry(of: text) ?? self.readEntry(of: text, shown: shown)
    }

    /// The entry of a text that was asked for before, if it is known by where it lies. Any thread.
    @inline(__always)
    func knownEntry(of text: String) -> RingEntry? {
        // A constant of the dictionary, which the caller holds: counting it up and down costs more than finding the text.
        Unmanaged.passUnretained(self.known)._withUnsafeGuaranteedRef { $0.entry(of: text) }
    }

    @inline(never)
    private func readEntry(of text: String, shown: (String) -> String) -> RingEntry {
        let entry = self.look(up: shown(text))
        self.known.note(entry, of: text)
        return entry
    }

    @inline(never)
    private func readEntry(of text: String) -> RingEntry {
        let entry = self.look(up: text)
        self.known.note(entry, of: text)
        return entry
    }

    private func look(up text: String) -> RingEntry {
        // Most texts lie in memory as they are; the others are made so.
        if let entry = text.utf8.withContiguousStorageIfAvailable({ self.entry(of: UnsafeRawBufferPointer($0)) }) {
            return entry
        }
        var text = text
        return text.withUTF8 { self.entry(of: UnsafeRawBufferPointer($0)) }
    }

    /// The entry of a place in the source. Any thread.
    @inline(__always)
    func entry(of site: Site) -> RingEntry {
        if let entry = self.sites.entry(of: site) { return entry }
        return self.newEntry(of: site)
    }

    @inline(never)
    private func newEntry(of site: Site) -> RingEntry {
        let entry = self.entry(of: site.description)
        self.sites.note(entry, of: site)
        return entry
    }

    private func entry(of bytes: UnsafeRawBufferPointer) -> RingEntry {
        guard bytes.count <= Self.textLimit else { return .inline }
        var sum = RingChecksum(salt: 0, position: UInt64(bytes.count))
        sum.add(bytes)
        let hash = Int(sum.value)
        return self.find(bytes, hash) ?? self.write(bytes, hash)
    }

    private func find(_ bytes: UnsafeRawBufferPointer, _ hash: Int) -> RingEntry? {
        var place = hash & self.mask
        while true {
            let number = self.table[place].load(ordering: .acquiring)
            if number == 0 { return nil }
            if self.cell(Int(number) - 1, holds: bytes) { return RingEntry(rawValue: number) }
            place = (place + 1) & self.mask
        }
    }

    @inline(never)
    private func write(_ bytes: UnsafeRawBufferPointer, _ hash: Int) -> RingEntry {
        self.writing.withLock { _ in
            // Another thread may have been faster.
            if let entry = self.find(bytes, hash) { return entry }
            let taken = self.memory.atomic(at: RingLayout.Header.cellsTaken)
            let cell = Int(taken.pointee.load(ordering: .relaxed))
            let count = Self.cellCount(bytes.count)
            guard cell + count <= self.memory.layout.cells else {
                self.hasRefused.store(true, ordering: .relaxed)
                return .inline
            }
            let start = self.cells + cell * RingLayout.slotSize
            (start + 8).copyMemory(from: bytes.baseAddress ?? UnsafeRawPointer(start), byteCount: bytes.count)
            taken.pointee.store(UInt64(cell + count), ordering: .releasing)
            let word = start.assumingMemoryBound(to: Atomic<UInt64>.self)
            word.pointee.store(Self.word(bytes, cell: cell, salt: self.memory.salt), ordering: .releasing)
            var place = hash & self.mask
            while self.table[place].load(ordering: .relaxed) != 0 { place = (place + 1) & self.mask }
            let entry = RingEntry(rawValue: UInt16(cell + 1))
            self.table[place].store(entry.rawValue, ordering: .releasing)
            return entry
        }
    }

    @inline(__always)
    private func cell(_ cell: Int, holds bytes: UnsafeRawBufferPointer) -> Bool {
        let known = self.bytes(ofCell: cell)
        guard known.count == bytes.count, let left = known.baseAddress, let right = bytes.baseAddress else {
            return known.count == bytes.count
        }
        return memcmp(left, right, known.count) == 0
    }

    @inline(__always)
    private func bytes(ofCell cell: Int) -> UnsafeRawBufferPointer {
        let start = self.cells + cell * RingLayout.slotSize
        let word = start.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
        return UnsafeRawBufferPointer(start: start + 8, count: Int(word & 0xFFFF))
    }

    /// The text of an entry that ``entry(of:)`` gave.
    func text(of entry: RingEntry) -> String {
        String(decoding: self.bytes(ofCell: Int(entry.rawValue) - 1), as: UTF8.self)
    }

    // MARK: - The format

    /// A cell's first word: its length in the lower 16 bits, 1 above them, and a checksum in the upper 32.
    package static func word(_ bytes: UnsafeRawBufferPointer, cell: Int, salt: UInt64) -> UInt64 {
        var sum = RingChecksum(salt: salt, position: UInt64(cell))
        sum.add(bytes)
        return UInt64(sum.value) << 32 | 1 << 16 | UInt64(bytes.count)
    }

    static func cellCount(_ bytes: Int) -> Int { (bytes + 8 + RingLayout.slotSize - 1) / RingLayout.slotSize }
}
