// What a record has behind its first slot: texts and numbers, one after the other.

/// Writes texts and numbers into memory of a fixed size. What does not fit is cut: texts to whole characters, numbers and
/// entries whole or not at all.
struct RestWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    /// Writes into memory that outlives the writer.
    init(_ memory: UnsafeMutableRawBufferPointer) {
        self.memory = memory
    }

    /// What has been written.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: self.memory[..<self.count]) }

    /// How many more bytes fit.
    var room: Int { self.memory.count - self.count }

    /// Writes a text with its length, cut to `limit` bytes.
    mutating func add(_ text: String, limit: Int = 1024) {
        // Most texts lie in memory as they are; the others are made so.
        if text.utf8.withContiguousStorageIfAvailable({ self.add($0, limit: limit) }) != nil { return }
        var text = text
        text.withUTF8 { self.add($0, limit: limit) }
    }

    private mutating func add(_ utf8: UnsafeBufferPointer<UInt8>, limit: Int) {
        guard self.room >= 2 else { return }
        var length = min(utf8.count, limit, self.room - 2)
        // A character is not cut in two: no byte that continues one may come first behind the cut.
        while length > 0, length < utf8.count, utf8[length] & 0xC0 == 0x80 { length -= 1 }
        self.store(UInt16(length))
        if length > 0, let source = utf8.baseAddress {
            (self.memory.baseAddress.map { $0 + self.count })?.copyMemory(from: source, byteCount: length)
            self.count += length
        }
    }

    /// Writes a name out if its entry says that it follows.
    mutating func add(_ name: String, if entry: RingEntry) {
        if entry == .inline { self.add(name, limit: RingDictionary.textLimit) }
    }

    /// Writes a worker out that does not fit in the first slot.
    @inline(never)
    mutating func add(_ worker: Unmanaged<WideWorker>) {
        // Whoever lends the head holds it for as long.
        let worker = worker.takeUnretainedValue()
        self.add(worker.kind, limit: RingDictionary.textLimit)
        self.add(UInt64(bitPattern: worker.number))
    }

    mutating func add(_ number: UInt64) { self.store(number) }

    mutating func add(_ number: UInt8) { self.store(number) }

    mutating func add(_ entry: RingEntry) { self.store(entry.rawValue) }

    private mutating func store<Number: BitwiseCopyable>(_ number: Number) {
        guard self.room >= MemoryLayout<Number>.size else { return }
        self.memory.storeBytes(of: number, toByteOffset: self.count, as: Number.self)
        self.count += MemoryLayout<Number>.size
    }
}
