// Credentials that follow the name of their scheme, with a blank between.

extension SecretScan {
    private static let leastToken = 4
    private static let leastMixed = 16

    /// The credentials behind the blank, if a scheme's name stands before it.
    mutating func credentials(after blank: Int) -> Range<Int>? {
        guard let scheme = self.scheme(before: blank) else { return nil }
        let start = self.end(of: { $0.isBlank || $0 == UInt8(ascii: "+") }, from: blank + 1)
        let end = self.end(of: Self.isCredential, from: start)
        let found = start..<end
        switch scheme.form {
        case .token: return self.isProse(found) ? nil : found
        case .basic: return self.isNameAndPassword(found) || self.isMixed(found) ? found : nil
        case .pairs:
            let name = self.end(of: { $0.isBase64URL }, from: start)
            guard name > start, self.byte(name) == UInt8(ascii: "=") else { return self.isMixed(found) ? found : nil }
            return start..<self.end(of: { !$0.isLineEnd }, from: start)
        case .everyday: return self.isMixed(found) ? found : nil
        }
    }

    private func scheme(before end: Int) -> AuthorizationScheme? {
        guard end > self.settled else { return nil }
        let last = self.bytes[end - 1] | 0x20
        return AuthorizationScheme.all.first { scheme in
            // By the last letter first: most words of prose end with another.
            scheme.name.utf8Start[scheme.name.utf8CodeUnitCount - 1] == last && self.isWord(scheme.name, before: end)
        }
    }

    /// Whether the word ends here, and is not the tail of a longer one.
    private func isWord(_ word: StaticString, before end: Int) -> Bool {
        let start = end - word.utf8CodeUnitCount
        return start >= self.settled && self.has(word, at: start) && !self.byte(start - 1).isLetter
    }

    private static func isCredential(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F, UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "`"), UInt8(ascii: ","): false
        case UInt8(ascii: ";"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"): false
        case UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"): false
        case UInt8(ascii: "\\"): false
        default: true
        }
    }

    /// What stands behind `Bearer` in sentences and in challenges.
    private func isProse(_ found: Range<Int>) -> Bool {
        var end = found.upperBound
        while end > found.lowerBound, [UInt8(ascii: "."), UInt8(ascii: ":")].contains(self.bytes[end - 1]) { end -= 1 }
        guard end - found.lowerBound >= Self.leastToken else { return true }
        let words: [StaticString] = [
            "auth", "authentication", "authorization", "challenge", "credential", "credentials", "header", "realm",
            "scheme", "token", "tokens",
        ]
        return words.contains { word in
            guard self.has(word, at: found.lowerBound) else { return false }
            let next = found.lowerBound + word.utf8CodeUnitCount
            return next >= end || self.bytes[next] == UInt8(ascii: "=")
        }
    }

    private func isMixed(_ found: Range<Int>) -> Bool {
        let isHead = self.isCut && found.upperBound == self.bytes.count
        guard found.count >= (isHead ? Self.leastToken : Self.leastMixed) else { return false }
        // Nobody can tell any more what the rest of a word looked like that was cut.
        return isHead || found.dropFirst().contains { self.bytes[$0].isDigit || self.bytes[$0].isCapital }
    }

    private func isNameAndPassword(_ found: Range<Int>) -> Bool {
        var bits: UInt32 = 0
        var read = 0
        for index in found {
            guard let value = self.bytes[index].base64Value else { break }
            bits = bits << 6 | UInt32(value)
            read += 1
            guard read & 3 != 1 else { continue }
            let byte = UInt8(truncatingIfNeeded: bits >> (UInt32((4 - (read & 3)) & 3) * 2))
            if byte == UInt8(ascii: ":") { return true }
            if byte < 0x20 || byte == 0x7F { return false }
        }
        // Nobody can tell any more whether a colon would have followed.
        return self.isCut && found.upperBound == self.bytes.count && read > Self.leastToken
    }
}
