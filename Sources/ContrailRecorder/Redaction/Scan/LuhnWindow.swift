// The checksums of the last digits of a sequence, all at once.

/// The last nineteen digits of a sequence that comes in groups: which runs of whole groups are the number of a card.
///
/// Each digit costs the same, wherever numbers may begin: the sums are kept from the beginning of the sequence, and those of a
/// run are a difference.
struct LuhnWindow {
    /// How many digits a card's number has.
    static let cardDigits = 13...19

    /// How many digits came so far.
    private var count = 0
    /// For each of the last digits, from the lowest bit, whether a group begins with it.
    private var starts: UInt32 = 0
    /// The sums, modulo ten, when the digits at odd places are doubled, and when those at even places are.
    private var oddDoubled = SIMD32<UInt8>()
    private var evenDoubled = SIMD32<UInt8>()

    /// Takes the next digit.
    mutating func add(_ digit: UInt8, startsGroup: Bool) {
        let doubled = digit < 5 ? digit * 2 : digit * 2 - 9
        let isEven = self.count & 1 == 0
        let before = (self.count + 31) & 31
        self.oddDoubled[self.count & 31] = (self.oddDoubled[before] + (isEven ? digit : doubled)) % 10
        self.evenDoubled[self.count & 31] = (self.evenDoubled[before] + (isEven ? doubled : digit)) % 10
        self.starts = self.starts << 1 | (startsGroup ? 1 : 0)
        self.count += 1
    }

    /// How many digits the number has that ends with the last digit and begins with a group; nil if there is none.
    var number: Int? {
        Self.cardDigits.reversed().first { self.beginsGroup($0) && self.hasChecksum($0) }
    }

    /// The most digits, fewer than a number's most, that begin with a group.
    func head(least: Int) -> Int? {
        (least...Self.cardDigits.upperBound).reversed().first(where: self.beginsGroup)
    }

    private func beginsGroup(_ digits: Int) -> Bool {
        digits <= self.count && self.starts >> UInt32(digits - 1) & 1 != 0
    }

    private func hasChecksum(_ digits: Int) -> Bool {
        let last = self.count - 1
        // From the right, the last digit is not doubled.
        let sums = last & 1 == 0 ? self.oddDoubled : self.evenDoubled
        return sums[last & 31] == sums[(last - digits + 32) & 31]
    }
}
