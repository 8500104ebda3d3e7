// The ways in which text is written where it does not stand for itself.

private import Foundation

/// Reads bytes that may be encoded in one way or another. Nothing here fails: what is no encoding stands for itself.
enum Spelling {
    /// What the bytes may mean: as they are, and with each kind of encoding undone.
    static func readings(of bytes: [UInt8]) -> [[UInt8]] {
        let text = self.text(bytes)
        return [text, self.text(self.percentDecoded(bytes)), self.unescaped(text), self.withoutEntities(text)]
    }

    /// Text of any of the usual character sets as UTF-8.
    static func text(_ bytes: [UInt8]) -> [UInt8] {
        let (isBig, isMarked) = (bytes.starts(with: [0xFE, 0xFF]), bytes.starts(with: [0xFF, 0xFE]))
        // Every other byte of most texts is zero then.
        let looksWide = bytes.prefix(64).reduce(0) { $0 + ($1 == 0 ? 1 : 0) } * 3 > min(bytes.count, 64)
        if isBig || isMarked || looksWide, bytes.count % 2 == 0 {
            let isLittle = isMarked || bytes.count > 1 && bytes[0] != 0 && bytes[1] == 0
            let encoding: String.Encoding = isLittle ? .utf16LittleEndian : .utf16BigEndian
            if let text = String(bytes: bytes, encoding: encoding) { return Array(text.drop { $0 == "\u{FEFF}" }.utf8) }
        }
        if String(validating: bytes, as: UTF8.self) != nil { return bytes }
        // As Latin-1 any byte is a character.
        return bytes.flatMap { $0 < 0x80 ? [$0] : [0xC0 | $0 >> 6, 0x80 | $0 & 0x3F] }
    }

    /// With `%` and two digits, and `+` for a space, undone.
    static func percentDecoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(bytes)
        var (output, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            if byte == UInt8(ascii: "%"), let value = self.number(bytes[index...].prefix(2), radix: 16, digits: 2) {
                output.append(UInt8(value))
                index += 2
            } else {
                output.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return output
    }

    /// What a backslash and what follows it stand for; nil when they stand for nothing. The position is behind the backslash.
    static func escape(in bytes: [UInt8], at position: inout Int) -> [UInt8]? {
        guard position < bytes.count else { return nil }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [byte]
        case UInt8(ascii: "u"): return self.unit(in: bytes, at: &position)
        default: return nil
        }
    }

    private static func unit(in bytes: [UInt8], at position: inout Int) -> [UInt8]? {
        guard let first = self.number(bytes[position...].prefix(4), radix: 16, digits: 4) else { return nil }
        position += 4
        var units = [UInt16(first)]
        let next = bytes[position...].prefix(6)
        if first & 0xFC00 == 0xD800, next.starts(with: Array("\\u".utf8)),
            let second = self.number(next.dropFirst(2), radix: 16, digits: 4), second & 0xFC00 == 0xDC00
        {
            units.append(UInt16(second))
            position += 6
        }
        return Array(String(decoding: units, as: UTF16.self).utf8)
    }

    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var (output, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            let start = index
            if byte == UInt8(ascii: "\\"), let text = self.escape(in: bytes, at: &index) {
                output += text
            } else {
                index = start
                output.append(byte)
            }
        }
        return output
    }

    /// With the entities of HTML undone that stand for what is written with them everywhere.
    private static func withoutEntities(_ bytes: [UInt8]) -> [UInt8] {
        let named = ["amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'"]
        var (output, index): ([UInt8], Int) = ([], 0)
        while index < bytes.count {
            let byte = bytes[index]
            index += 1
            guard byte == UInt8(ascii: "&"), let end = bytes[index...].prefix(10).firstIndex(of: UInt8(ascii: ";"))
            else {
                output.append(byte)
                continue
            }
            let name = bytes[index..<end]
            let isHex = name.starts(with: Array("#x".utf8)) || name.starts(with: Array("#X".utf8))
            let digits = name.dropFirst(isHex ? 2 : 1)
            let code = name.first == UInt8(ascii: "#") ? self.number(digits, radix: isHex ? 16 : 10, digits: nil) : nil
            if let text = named[String(decoding: name, as: UTF8.self)]
                ?? code.flatMap({ Unicode.Scalar($0) }).map({ String(Character($0)) })
            {
                output += text.utf8
                index = end + 1
            } else {
                output.append(byte)
            }
        }
        return output
    }

    private static func number(_ digits: ArraySlice<UInt8>, radix: Int, digits count: Int?) -> UInt32? {
        // The parser of numbers would take a sign.
        guard digits.count == count ?? digits.count, let first = digits.first, first != 0x2B, first != 0x2D else {
            return nil
        }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: radix)
    }
}
