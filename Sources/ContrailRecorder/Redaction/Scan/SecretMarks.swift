// Where a text must be looked at closely: decided byte by byte from tables, for clean text is nearly all there is.

/// The bytes that can be the mark of a secret, with what must be next to them.
struct SecretMarks: Sendable {
    /// Three tables of 256: what a byte may be the mark of, and for the last letter of schemes and of key prefixes the set
    /// of the letters before it.
    private let tables: [UInt32]
    private static let schemes = 256
    private static let keys = 512

    init(_ detectors: SecretDetectors) {
        var tables = [UInt32](repeating: 0, count: 768)
        let marks: [(bytes: String, SecretDetectors)] = [
            ("=:>%\\", .always), ("J.", .jsonWebToken), (" \t+", .authorization), ("-", .privateKey),
            ("0123456789", .cardNumber), ("_-.I", .apiKey), ("@", .emailAddress),
        ]
        for (bytes, detector) in marks {
            let found = detector.intersection(detectors).rawValue
            for byte in bytes.utf8 { tables[Int(byte)] |= found }
        }
        for scheme in AuthorizationScheme.all { Self.addTail(scheme.name, dropping: 0, Self.schemes, &tables) }
        for prefix in APIKeyPrefix.all { Self.addTail(prefix.text, dropping: 1, Self.keys, &tables) }
        self.tables = tables
    }

    /// Notes the last two bytes of a text, without as many as are given, in small letters and in capitals.
    private static func addTail(_ text: StaticString, dropping dropped: Int, _ table: Int, _ tables: inout [UInt32]) {
        let end = text.utf8CodeUnitCount - dropped
        guard end >= 2 else { return }
        let last = text.utf8Start[end - 1]
        let before = UInt32(1) << UInt32(text.utf8Start[end - 2] & 31)
        tables[table + Int(last)] |= before
        if last.isLetter { tables[table + Int(last & ~0x20)] |= before }
    }

    /// The first place from here on that may be the mark of a secret; the number of bytes when there is none.
    func first(in bytes: UnsafeBufferPointer<UInt8>, from start: Int, isCut: Bool) -> Int {
        guard let text = bytes.baseAddress else { return bytes.count }
        let count = bytes.count
        return self.tables.withUnsafeBufferPointer { tables in
            guard let tables = tables.baseAddress else { return count }
            var index = start
            while index < count {
                if tables[Int(text[index])] != 0, Self.isMark(text, index, count, tables, isCut: isCut) { return index }
                index &+= 1
            }
            return count
        }
    }

    /// Whether what is next to the byte fits as well.
    @inline(__always)
    private static func isMark(
        _ text: UnsafePointer<UInt8>,
        _ index: Int,
        _ count: Int,
        _ tables: UnsafePointer<UInt32>,
        isCut: Bool
    ) -> Bool {
        let byte = text[index]
        // Digits first: paths are full of them.
        if byte &- 0x30 < 10 {
            if isCut { return true }
            guard index &+ 13 <= count else { return false }
            let next = text[index &+ 1]
            return next &- 0x30 < 10 || (self.isSeparator(next) && text[index &+ 2] &- 0x30 < 10)
        }
        switch byte {
        case 0x3D, 0x3A, 0x3E, 0x25, 0x5C, 0x40: return true
        case 0x20, 0x09, 0x2B: return index >= 2 && self.hasTail(text, index, tables + self.schemes)
        case 0x2D:
            return (index &+ 1 < count && text[index &+ 1] == 0x2D)
                || (index >= 2 && self.hasTail(text, index, tables + self.keys))
        case 0x2E:
            return index >= 2
                && (self.hasTail(text, index, tables + self.keys)
                    || (index >= 12 && text[index &- 1].isBase64URL && text[index &- 12].isBase64URL))
        case 0x5F: return index >= 2 && self.hasTail(text, index, tables + self.keys)
        case 0x49: return index &+ 1 < count && (text[index &+ 1] == 0x41 || text[index &+ 1] == 0x7A)
        case 0x4A:
            guard index >= 2, text[index &- 1] == 0x79, text[index &- 2] == 0x65 else { return false }
            // `eyJ` is a brace and a quote; the next character must give the first letter of a key.
            guard index &+ 1 < count, let next = text[index &+ 1].base64Value else { return isCut }
            return (0x40 | next).isLetter || next == 0x1F
        default: return true
        }
    }

    @inline(__always)
    private static func hasTail(_ text: UnsafePointer<UInt8>, _ index: Int, _ table: UnsafePointer<UInt32>) -> Bool {
        table[Int(text[index &- 1])] >> UInt32(text[index &- 2] & 31) & 1 != 0
    }

    @inline(__always)
    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x2D || byte == 0x2B || byte == 0x09
    }
}
