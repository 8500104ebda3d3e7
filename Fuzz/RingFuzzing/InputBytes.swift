// An input, taken from the front.

/// Bytes that are read one after another; behind the end there are zeros.
package struct InputBytes {
    private let bytes: UnsafeRawBufferPointer
    private var offset = 0

    /// Reads bytes that outlive the reader.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// Whether all has been read.
    package var isAtEnd: Bool { self.offset >= self.bytes.count }

    /// The next byte.
    package mutating func byte() -> UInt8 {
        defer { self.offset += 1 }
        return self.offset < self.bytes.count ? self.bytes[self.offset] : 0
    }

    /// So many bytes, or as many as are left.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        let end = min(self.offset + count, self.bytes.count)
        defer { self.offset = max(self.offset, end) }
        return self.offset < end ? Array(self.bytes[self.offset..<end]) : []
    }

    /// The next eight bytes as a number.
    package mutating func number() -> Int64 {
        self.bytes(8).reversed().reduce(0) { $0 << 8 | Int64($1) }
    }
}
