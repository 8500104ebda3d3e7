// Reads what a record has behind its first slot.

/// Reads texts and numbers in the order in which ``RestWriter`` wrote them. What is not there is nil, whatever the bytes are.
struct RestReader {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// Reads bytes that outlive the reader.
    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Whether everything has been read.
    var isAtEnd: Bool { self.offset == self.bytes.count }

    mutating func text() -> String? {
        guard let length = self.number(UInt16.self).map(Int.init), self.bytes.count - self.offset >= length else {
            return nil
        }
        defer { self.offset += length }
        return String(decoding: self.bytes[self.offset..<(self.offset + length)], as: UTF8.self)
    }

    mutating func number<Number: BitwiseCopyable & FixedWidthInteger>(_ type: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard self.bytes.count - self.offset >= size else { return nil }
        defer { self.offset += size }
        return self.bytes.loadUnaligned(fromByteOffset: self.offset, as: type)
    }

    mutating func entry() -> RingEntry? { self.number(UInt16.self).map(RingEntry.init) }
}
