// Numbers of payment cards, told by their checksum.

extension SecretScan {
    private static let leastHead = 4

    /// The first number among the digits that begin here, with single separators between their groups.
    mutating func cardNumber(at index: Int) -> Range<Int>? {
        let sequence = self.digits(from: index)
        guard sequence.count >= LuhnWindow.cardDigits.lowerBound || self.isCut else {
            self.next = sequence.end
            return nil
        }
        var window = LuhnWindow()
        var found: Range<Int>?
        var unclaimed = 0
        var start = index
        var end = index
        while self.byte(start).isDigit, unclaimed < LuhnWindow.cardDigits.upperBound {
            end = self.end(of: { $0.isDigit }, from: start)
            if end - start > LuhnWindow.cardDigits.upperBound {
                // No number has so long a group.
                window = LuhnWindow()
            } else {
                for place in start..<end { window.add(self.bytes[place] - 0x30, startsGroup: place == start) }
            }
            unclaimed += found == nil ? 0 : end - start
            if let digits = window.number {
                // What ends here may be the true number, and what was found before an accident at its beginning.
                let candidate = self.start(ofDigits: digits, before: end)..<end
                let overlaps = found.map { candidate.lowerBound < $0.upperBound } ?? !self.isFraction(candidate)
                if overlaps {
                    found = min(candidate.lowerBound, found?.lowerBound ?? end)..<end
                    unclaimed = 0
                }
            }
            start = Self.isSeparator(self.byte(end)) ? end + 1 : end
        }
        if let found { return found }
        self.next = max(self.next, end)
        // The head of a number: what would have followed decides, and nobody knows it.
        guard self.isCut, start >= self.bytes.count, let digits = window.head(least: Self.leastHead) else { return nil }
        return self.start(ofDigits: digits, before: end)..<end
    }

    /// Where the digits end that begin here, or enough of them for a number, and how many those are.
    private func digits(from start: Int) -> (end: Int, count: Int) {
        var end = start
        var count = 0
        while count < LuhnWindow.cardDigits.lowerBound {
            if self.byte(end).isDigit {
                end += 1
                count += 1
            } else if Self.isSeparator(self.byte(end)), self.byte(end + 1).isDigit {
                end += 1
            } else {
                break
            }
        }
        return (end, count)
    }

    /// The place of the first of so many digits that end here.
    private func start(ofDigits count: Int, before end: Int) -> Int {
        var start = end
        var rest = count
        while rest > 0 {
            start -= 1
            if self.bytes[start].isDigit { rest -= 1 }
        }
        return start
    }

    /// Whether it is what follows the point of a number.
    private func isFraction(_ found: Range<Int>) -> Bool {
        self.byte(found.lowerBound - 1) == UInt8(ascii: ".") && self.byte(found.lowerBound - 2).isDigit
            && found.allSatisfy { self.bytes[$0].isDigit }
    }

    /// Blanks and dashes; a form writes a blank as a plus sign.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte.isBlank || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
    }
}

extension RedactionPolicy {
    /// Whether a whole number is a card's: 13 to 19 digits of which the first is 2 to 6, with the right checksum.
    static func isCardNumber(_ number: UInt64) -> Bool {
        // Milliseconds and nanoseconds since 1970 begin with 1.
        guard number >= 2_000_000_000_000 else { return false }
        var rest = number
        var sum = 0
        var count = 0
        var first: UInt64 = 0
        while rest > 0 {
            first = rest % 10
            let digit = Int(first)
            sum += count & 1 == 0 ? digit : (digit < 5 ? digit * 2 : digit * 2 - 9)
            count += 1
            rest /= 10
        }
        return LuhnWindow.cardDigits.contains(count) && (2...6).contains(first) && sum % 10 == 0
    }
}
