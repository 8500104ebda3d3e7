// Text in which secrets hide behind percent signs and backslashes, decoded with a way back.

/// Bytes after one step of decoding, with the place in the original that each of them came from.
struct EscapedText {
    private(set) var bytes: [UInt8] = []
    /// For each byte where its original begins, and at the end where the original ends.
    private(set) var origins: [Int] = []

    /// Decodes `%41`, and what JSON writes with a backslash. Nil when there is nothing to decode.
    init?(_ text: UnsafeBufferPointer<UInt8>, origins: [Int]?) {
        self.bytes.reserveCapacity(text.count)
        self.origins.reserveCapacity(text.count + 1)
        var isChanged = false
        var index = 0
        while index < text.count {
            let origin = origins?[index] ?? index
            let (scalar, length) = Self.decoded(text, at: index)
            isChanged = isChanged || length > 1
            self.append(scalar, isByte: length != 6, origin)
            index += length
        }
        guard isChanged else { return nil }
        self.origins.append(origins?[text.count] ?? text.count)
    }

    /// Where a piece of the decoded bytes is in the original.
    func original(_ piece: Range<Int>) -> Range<Int> {
        self.origins[piece.lowerBound]..<self.origins[piece.upperBound]
    }

    private mutating func append(_ scalar: UInt32, isByte: Bool, _ origin: Int) {
        if isByte || scalar < 0x80 {
            self.bytes.append(UInt8(truncatingIfNeeded: scalar))
            self.origins.append(origin)
            return
        }
        // Half of a pair of surrogates is no character: a question mark stands for it.
        for byte in String(Unicode.Scalar(scalar) ?? "?").utf8 {
            self.bytes.append(byte)
            self.origins.append(origin)
        }
    }

    /// What is written at a place, and how many bytes it takes there; a byte for itself when it is no escape.
    private static func decoded(_ text: UnsafeBufferPointer<UInt8>, at index: Int) -> (UInt32, Int) {
        let byte = text[index]
        if byte == UInt8(ascii: "%"), let value = self.hexadecimal(text, index + 1, digits: 2) { return (value, 3) }
        guard byte == UInt8(ascii: "\\"), index + 1 < text.count else { return (UInt32(byte), 1) }
        let next = text[index + 1]
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "'"): return (UInt32(next), 2)
        case UInt8(ascii: "n"): return (0x0A, 2)
        case UInt8(ascii: "r"): return (0x0D, 2)
        case UInt8(ascii: "t"): return (0x09, 2)
        case UInt8(ascii: "b"), UInt8(ascii: "f"): return (0x20, 2)
        case UInt8(ascii: "u"):
            guard let value = self.hexadecimal(text, index + 2, digits: 4) else { return (UInt32(byte), 1) }
            return (value, 6)
        default: return (UInt32(byte), 1)
        }
    }

    private static func hexadecimal(_ text: UnsafeBufferPointer<UInt8>, _ start: Int, digits: Int) -> UInt32? {
        guard start + digits <= text.count else { return nil }
        var value: UInt32 = 0
        for index in start..<start + digits {
            let byte = text[index]
            if byte.isDigit {
                value = value << 4 | UInt32(byte - 0x30)
            } else if byte | 0x20 >= UInt8(ascii: "a"), byte | 0x20 <= UInt8(ascii: "f") {
                value = value << 4 | UInt32((byte | 0x20) - UInt8(ascii: "a") + 10)
            } else {
                return nil
            }
        }
        return value
    }
}
