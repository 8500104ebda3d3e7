// Keys that are known by how they begin.

extension SecretScan {
    /// The key whose published beginning ends here, or has its I here.
    mutating func apiKey(at index: Int) -> Range<Int>? {
        switch self.bytes[index] {
        case UInt8(ascii: "_"): return self.key(APIKeyPrefix.underscored, endingAt: index + 1)
        case UInt8(ascii: "-"): return self.key(APIKeyPrefix.dashed, endingAt: index + 1)
        case UInt8(ascii: "."): return self.key(APIKeyPrefix.dotted, endingAt: index + 1)
        default:
            switch (self.byte(index - 1), self.byte(index + 1)) {
            case (UInt8(ascii: "K"), UInt8(ascii: "A")), (UInt8(ascii: "S"), UInt8(ascii: "A")):
                return self.key(APIKeyPrefix.lettered, endingAt: index + 2)
            case (UInt8(ascii: "A"), UInt8(ascii: "z")): return self.key(APIKeyPrefix.lettered, endingAt: index + 3)
            default: return nil
            }
        }
    }

    private func key(_ prefixes: [APIKeyPrefix], endingAt body: Int) -> Range<Int>? {
        for prefix in prefixes {
            let start = body - prefix.text.utf8CodeUnitCount
            guard start >= self.settled, self.isExactly(prefix.text, at: start) else { continue }
            if prefix.isWord, self.byte(start - 1).isAlphanumeric { continue }
            let end = self.end(of: { $0.isBase64URL || $0 == UInt8(ascii: ".") }, from: body)
            // Of a key that was cut, any head is one too many.
            if end - body >= prefix.least || (self.isCut && end == self.bytes.count) { return start..<end }
        }
        return nil
    }

    private func isExactly(_ text: StaticString, at start: Int) -> Bool {
        guard start >= 0, start + text.utf8CodeUnitCount <= self.bytes.count else { return false }
        for offset in 0..<text.utf8CodeUnitCount where self.bytes[start + offset] != text.utf8Start[offset] {
            return false
        }
        return true
    }
}
