// What a byte of text is.

extension UInt8 {
    var isDigit: Bool { self &- 0x30 < 10 }
    var isCapital: Bool { self &- 0x41 < 26 }
    var isLetter: Bool { (self | 0x20) &- 0x61 < 26 }
    var isAlphanumeric: Bool { self.isLetter || self.isDigit }
    var isBlank: Bool { self == 0x20 || self == 0x09 }
    var isLineEnd: Bool { self == 0x0A || self == 0x0D }
    /// Of the alphabet of base64url, without padding.
    var isBase64URL: Bool { self.isAlphanumeric || self == 0x2D || self == 0x5F }

    /// The six bits of a character of base64 or base64url; nil for others.
    var base64Value: UInt8? {
        switch self {
        case 0x41...0x5A: self - 0x41
        case 0x61...0x7A: self - 0x61 + 26
        case 0x30...0x39: self - 0x30 + 52
        case 0x2B, 0x2D: 62
        case 0x2F, 0x5F: 63
        default: nil
        }
    }
}
