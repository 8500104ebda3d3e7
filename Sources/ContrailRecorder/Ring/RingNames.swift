// The texts of a ring's dictionary, for whoever reads its records.

private import Synchronization

/// Looks entries up in the memory of a ring, its own or a dead process's. Confined to the thread that reads the ring.
struct RingNames {
    private let memory: RingMemory
    private var known: [RecordedText?]

    init(_ memory: RingMemory) {
        self.memory = memory
        self.known = Array(repeating: nil, count: memory.layout.cells)
    }

    /// The text of an entry; nil when there is none that can be read.
    mutating func text(of entry: RingEntry) -> RecordedText? {
        let cell = Int(entry.rawValue) - 1
        guard self.known.indices.contains(cell) else { return nil }
        if let known = self.known[cell] { return known }
        guard let text = self.read(cell) else { return nil }
        let recorded = RecordedText(text, entry: entry.rawValue)
        self.known[cell] = recorded
        return recorded
    }

    private func read(_ cell: Int) -> String? {
        let offset = self.memory.layout.dictionaryOffset + cell * RingLayout.slotSize
        let word = self.memory.atomic(at: offset).pointee.load(ordering: .acquiring)
        let length = Int(word & 0xFFFF)
        guard word >> 16 & 1 == 1, length <= RingDictionary.textLimit,
            cell + RingDictionary.cellCount(length) <= self.memory.layout.cells
        else { return nil }
        let bytes = UnsafeRawBufferPointer(start: self.memory.base + offset + 8, count: length)
        guard RingDictionary.word(bytes, cell: cell, salt: self.memory.salt) == word else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
