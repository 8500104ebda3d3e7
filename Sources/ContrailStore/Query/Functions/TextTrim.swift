// Strips a set of characters from the ends of a text, in linear time.

/// The characters to strip: what SQLite calls a character, a byte and the UTF-8 continuation bytes that follow it.
struct TextTrim {
    /// Characters of up to eight bytes, packed. A longer one is not UTF-8 and is never stripped.
    private let characters: Set<UInt64>

    init(_ characters: UnsafeBufferPointer<UInt8>) {
        var set: Set<UInt64> = []
        var position = 0
        while position < characters.count {
            let end = Self.end(of: position, in: characters)
            if let packed = Self.packed(characters[position..<end]) { set.insert(packed) }
            position = end
        }
        self.characters = set
    }

    /// What is left of a text.
    func range(of text: UnsafeBufferPointer<UInt8>, leading: Bool, trailing: Bool) -> Range<Int> {
        var start = 0
        var end = text.count
        while leading, start < end {
            let next = Self.end(of: start, in: text)
            guard self.strips(text[start..<next]) else { break }
            start = next
        }
        while trailing, start < end {
            var first = end - 1
            while first > start, text[first] & 0xc0 == 0x80 { first -= 1 }
            guard self.strips(text[first..<end]) else { break }
            end = first
        }
        return start..<end
    }

    private func strips(_ character: Slice<UnsafeBufferPointer<UInt8>>) -> Bool {
        Self.packed(character).map(self.characters.contains) ?? false
    }

    private static func end(of start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var end = start + 1
        if text[start] >= 0xc0 {
            while end < text.count, text[end] & 0xc0 == 0x80 { end += 1 }
        }
        return end
    }

    private static func packed(_ character: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        // The length takes part, so that bytes of zero cannot make two characters equal.
        guard character.count <= 7 else { return nil }
        return character.reduce(UInt64(character.count)) { $0 << 8 | UInt64($1) }
    }
}
