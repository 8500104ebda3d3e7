// Which names are secret: compared without case and separators, and without copying the name.

/// A list of names, ready to be found inside longer ones.
struct SecretNames: Sendable {
    /// Names so short that they occur inside innocent words (`pin` in `shipping`) must match a whole word.
    private static let wholeWordLimit = 3

    /// The names, normalised: lower case letters and digits only.
    let texts: [String]

    /// The bytes of all names, one after the other, in the order of their first bytes.
    private let letters: [UInt8]
    private let entries: [Range<Int>]
    /// Where the entries with a first byte begin; one more at the end.
    private let starts: [Int]

    init(_ names: [String]) {
        let normalised = names.map { $0.utf8.compactMap(Self.normalised) }.filter { !$0.isEmpty }
        self.texts = normalised.map { String(decoding: $0, as: UTF8.self) }
        var letters: [UInt8] = []
        var entries: [Range<Int>] = []
        var starts: [Int] = []
        let groups = Dictionary(grouping: normalised) { $0[0] }
        for byte in UInt8.min ... .max {
            starts.append(entries.count)
            for name in groups[byte] ?? [] {
                entries.append(letters.count..<(letters.count + name.count))
                letters += name
            }
        }
        self.letters = letters
        self.entries = entries
        self.starts = starts + [entries.count]
    }

    /// Whether the name at this place is one of these, or contains one.
    func contains(_ name: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var index = name.lowerBound
        while index < name.upperBound {
            if let byte = Self.normalised(bytes[index]) {
                var entry = self.starts[Int(byte)]
                let end = self.starts[Int(byte) + 1]
                while entry < end {
                    if self.matches(self.entries[entry], at: index, in: name, of: bytes) { return true }
                    entry += 1
                }
            }
            index += 1
        }
        return false
    }

    private func matches(
        _ entry: Range<Int>,
        at start: Int,
        in name: Range<Int>,
        of bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        var letter = entry.lowerBound
        var index = start
        while letter < entry.upperBound {
            guard index < name.upperBound else { return false }
            if let byte = Self.normalised(bytes[index]) {
                guard byte == self.letters[letter] else { return false }
                letter += 1
            }
            index += 1
        }
        guard entry.count <= Self.wholeWordLimit else { return true }
        return self.isWhole(start..<index, in: name, of: bytes) || self.isWord(start..<index, in: name, of: bytes)
    }

    /// Whether nothing but separators is around the match.
    private func isWhole(_ match: Range<Int>, in name: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        (name.lowerBound..<match.lowerBound).allSatisfy { Self.normalised(bytes[$0]) == nil }
            && (match.upperBound..<name.upperBound).allSatisfy { Self.normalised(bytes[$0]) == nil }
    }

    /// Whether the match is one word: one ends at anything but a letter or digit, and before a capital after a small letter.
    private func isWord(_ match: Range<Int>, in name: Range<Int>, of bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        func isBoundary(_ index: Int) -> Bool {
            guard index > name.lowerBound, index < name.upperBound else { return true }
            let before = bytes[index - 1]
            guard Self.normalised(before) != nil, Self.normalised(bytes[index]) != nil else { return true }
            return bytes[index].isCapital && !before.isCapital
        }
        return isBoundary(match.lowerBound) && isBoundary(match.upperBound)
            && !((match.lowerBound + 1)..<match.upperBound).contains(where: isBoundary)
    }

    private static func normalised(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: nil
        }
    }
}
