// Values of `g` as they may be stored.

extension RedactionPolicy {
    /// The value as it may be stored under this name.
    package func redacted(_ value: RecordedValue, under name: String) -> RecordedValue {
        self.redacted(value, underSecret: self.isSecret(name))
    }

    /// The value as it may be stored under a name of which it is known whether it is secret.
    package func redacted(_ value: RecordedValue, underSecret isSecret: Bool) -> RecordedValue {
        if isSecret { return value.hidden }
        switch value {
        // A text that was changed would not be the exact value that it claims to be.
        case .text(let text): return self.hasSecret(text) ? .redacted : value
        case .integer(let number): return self.isCardNumber(number) ? .redacted : value
        case .double(let number):
            // Every card number up to 2^53 is exact in floating point, and so are some beyond.
            guard number >= 1e12, number < 1e19, let whole = Int64(exactly: number) else { return value }
            return self.isCardNumber(whole) ? .redacted : value
        case .null, .bool, .described, .redacted, .object, .waiting, .encoded: return value
        }
    }

    private func isCardNumber(_ number: Int64) -> Bool {
        // No card has fewer than thirteen digits: that decides for nearly every number.
        number >= 1_000_000_000_000 && self.patterns.contains(.cardNumber) && Self.isCardNumber(UInt64(number))
    }
}
