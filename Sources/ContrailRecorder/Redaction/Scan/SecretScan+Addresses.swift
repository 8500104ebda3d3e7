// Passwords inside URLs, and e-mail addresses.

extension SecretScan {
    /// The password of the URL whose scheme ends here.
    mutating func urlPassword(at index: Int) -> Range<Int>? {
        guard self.byte(index + 1) == UInt8(ascii: "/"), self.byte(index + 2) == UInt8(ascii: "/") else { return nil }
        let start = index + 3
        let end = self.end(of: Self.isAuthority, from: start)
        guard let colon = (start..<end).first(where: { self.bytes[$0] == UInt8(ascii: ":") }) else { return nil }
        if let sign = (start..<end).last(where: { self.bytes[$0] == UInt8(ascii: "@") }) {
            return colon + 1 < sign ? colon + 1..<sign : nil
        }
        // Without the sign it is a host and a port, or a password that was cut.
        guard end == self.bytes.count, colon + 1 < end else { return nil }
        let isPort = end - colon <= 6 && colon > start && (colon + 1..<end).allSatisfy { self.bytes[$0].isDigit }
        return isPort ? nil : colon + 1..<end
    }

    private static func isAuthority(_ byte: UInt8) -> Bool {
        switch byte {
        case 0...0x20, 0x7F, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""),
            UInt8(ascii: "'"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "`"):
            false
        default: true
        }
    }

    /// The e-mail address around the sign here.
    mutating func emailAddress(at index: Int) -> Range<Int>? {
        let start = self.start(of: Self.isMailbox, before: index)
        guard start < index else { return nil }
        var end = index + 1
        var hasDot = false
        var label = end
        while true {
            label = self.end(of: { $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 >= 0x80 }, from: end)
            guard label > end else { break }
            end = label
            guard self.byte(end) == UInt8(ascii: "."), self.byte(end + 1).isAlphanumeric else { break }
            hasDot = true
            end += 1
        }
        let isHead = self.isCut && end == self.bytes.count
        return hasDot || isHead ? start..<end : nil
    }

    private static func isMailbox(_ byte: UInt8) -> Bool {
        if byte.isAlphanumeric || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "*"), UInt8(ascii: "^"),
            UInt8(ascii: "~"):
            return true
        default: return false
        }
    }
}
