// Private keys in PEM: whole ones, those that lost their end, and those that lost their beginning.

extension SecretScan {
    private static let dashes = 4
    /// Labels are short: `ENCRYPTED PRIVATE KEY`, `PGP PRIVATE KEY BLOCK`.
    private static let mostLabel = 48
    /// Words of prose are shorter than a line of a key.
    private static let leastLine = 16

    /// The key whose first or last line begins with the dashes here.
    mutating func privateKey(at index: Int) -> Range<Int>? {
        let label = self.end(of: { $0 == UInt8(ascii: "-") }, from: index)
        self.next = max(self.next, label)
        guard label - index >= Self.dashes else { return nil }
        let word = self.end(of: { $0.isBlank }, from: label)
        if self.has("begin", at: word), self.namesPrivateKey(word + 5) {
            return index..<self.endOfKey(from: word + 5)
        }
        if self.has("end", at: word), self.namesPrivateKey(word + 3) {
            return self.startOfKey(before: index)..<self.endOfLabel(from: word + 3)
        }
        return nil
    }

    private func namesPrivateKey(_ start: Int) -> Bool {
        let end = min(self.bytes.count, start + Self.mostLabel)
        var index = start
        while index < end, self.bytes[index] != UInt8(ascii: "-"), !self.bytes[index].isLineEnd {
            // A form writes the blank as a plus sign, a percent sign is decoded later.
            if self.has("private", at: index), self.has("key", at: index + 8) { return true }
            index += 1
        }
        return false
    }

    /// Behind the dashes of the line whose label begins here.
    private func endOfLabel(from start: Int) -> Int {
        let label = self.end(of: { $0 != UInt8(ascii: "-") && !$0.isLineEnd }, from: start)
        return self.end(of: { $0 == UInt8(ascii: "-") }, from: label)
    }

    /// Behind the last line; the end of everything when there is none.
    private func endOfKey(from start: Int) -> Int {
        var index = start
        while index < self.bytes.count {
            index = self.end(of: { $0 != UInt8(ascii: "-") }, from: index)
            let label = self.end(of: { $0 == UInt8(ascii: "-") }, from: index)
            let word = self.end(of: { $0.isBlank }, from: label)
            if label - index >= Self.dashes, self.has("end", at: word) { return self.endOfLabel(from: word + 3) }
            index = max(label, index + 1)
        }
        return self.bytes.count
    }

    /// The beginning of the lines of base64 that end here.
    private func startOfKey(before end: Int) -> Int {
        var start = end
        var isLast = true
        while start > self.settled {
            let line = self.start(of: Self.isBreak, before: start)
            let word = self.start(of: Self.isBody, before: line)
            // The last line may be short, and so may what is left of a line that was cut.
            guard word < line, isLast || line - word >= Self.leastLine || word == 0 else { return start }
            start = word
            isLast = false
        }
        return start
    }

    private static func isBreak(_ byte: UInt8) -> Bool {
        byte.isBlank || byte.isLineEnd
    }

    /// Of base64, or of the escapes by which JSON and forms write the end of a line.
    private static func isBody(_ byte: UInt8) -> Bool {
        byte.base64Value != nil || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\\") || byte == UInt8(ascii: "%")
    }
}
