// Tokens that carry JSON in base64url: signed or encrypted, in three or five parts.

extension SecretScan {
    /// `"alg"` in bytes, which every header has.
    private static let algorithmKey: UInt64 = 0x22_61_6C_67_22
    private static let keyMask: UInt64 = 0xFF_FF_FF_FF_FF
    /// A header that is shorter cannot name an algorithm.
    private static let leastHeader = 12
    private static let mostParts = 5

    /// The token that begins with the `eyJ` of which the last letter is here.
    mutating func jsonWebToken(beginningBefore index: Int) -> Range<Int>? {
        guard index - 2 >= self.settled, self.byte(index - 1) == UInt8(ascii: "y"),
            self.byte(index - 2) == UInt8(ascii: "e")
        else { return nil }
        return self.token(from: index - 2)
    }

    /// The token whose first part may end with the dot here: an object that has white space behind its brace.
    mutating func jsonWebToken(endingAt index: Int) -> Range<Int>? {
        guard index - Self.leastHeader >= self.settled, self.bytes[index - 1].isBase64URL,
            self.bytes[index - Self.leastHeader].isBase64URL
        else { return nil }
        let start = self.start(of: { $0.isBase64URL }, before: index)
        guard index - start >= Self.leastHeader else { return nil }
        for candidate in start...(index - Self.leastHeader) where self.bytes[candidate] == UInt8(ascii: "e") {
            let second = self.bytes[candidate + 1]
            guard second == UInt8(ascii: "y") || second == UInt8(ascii: "w") else { continue }
            if let found = self.token(from: candidate) { return found }
        }
        return nil
    }

    private mutating func token(from start: Int) -> Range<Int>? {
        let lane = start & 3
        // The same groups were decoded before, and there was no header in them.
        guard self.decoded[lane] <= start else { return nil }
        var window: UInt64 = 0
        var bits: UInt32 = 0
        var hasAlgorithm = false
        var end = start
        while end < self.bytes.count, self.bytes[end].isBase64URL, let value = self.bytes[end].base64Value {
            bits = bits << 6 | UInt32(value)
            end += 1
            let read = end - start
            guard read & 3 != 1 else { continue }
            // Two characters give one byte, three give two, four give three.
            let byte = UInt8(truncatingIfNeeded: bits >> (UInt32((4 - (read & 3)) & 3) * 2))
            window = window << 8 | UInt64(byte)
            let isText = byte >= 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
            guard isText, read > 3 || self.beginsObject(window, read) else { break }
            if window & Self.keyMask == Self.algorithmKey {
                hasAlgorithm = true
                break
            }
        }
        if !hasAlgorithm {
            self.decoded[lane] = end
            // Of a header that was cut nobody can tell any more what it was.
            let isHead = self.isCut && end == self.bytes.count && end - start > 2
            return isHead ? start..<end : nil
        }
        return start..<self.endOfParts(from: end)
    }

    /// Whether what was decoded so far begins like an object: a brace, then white space or a quote.
    private func beginsObject(_ window: UInt64, _ read: Int) -> Bool {
        if read == 2 { return window == 0x7B }
        switch window & 0xFF {
        case 0x22, 0x20, 0x09, 0x0A, 0x0D: return true
        default: return false
        }
    }

    private func endOfParts(from start: Int) -> Int {
        var end = self.end(of: { $0.isBase64URL }, from: start)
        var parts = 1
        while parts < Self.mostParts, self.byte(end) == UInt8(ascii: ".") {
            end = self.end(of: { $0.isBase64URL }, from: end + 1)
            parts += 1
        }
        return end
    }
}
