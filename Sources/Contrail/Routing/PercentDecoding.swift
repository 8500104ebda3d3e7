// Percent-decoding that loses nothing: what cannot be decoded stays as it was written.

/// Decodes the percent signs of a piece of a URL.
///
/// An escape that is cut short, is no hexadecimal number, or is not part of valid UTF-8 stays as text.
package enum PercentDecoding {
    /// The decoded text; with `plusIsBlank`, a `+` becomes a blank, as in queries.
    package static func decode(_ text: Substring, plusIsBlank: Bool = false) -> String {
        let percent = UInt8(ascii: "%")
        let plus = UInt8(ascii: "+")
        guard text.utf8.contains(where: { $0 == percent || (plusIsBlank && $0 == plus) }) else { return String(text) }
        let source = Array(text.utf8)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(source.count)
        var index = 0
        while index < source.count {
            guard source[index] == percent else {
                decoded.append(plusIsBlank && source[index] == plus ? UInt8(ascii: " ") : source[index])
                index += 1
                continue
            }
            var run: [UInt8] = []
            while let byte = self.escape(in: source, at: index + 3 * run.count) { run.append(byte) }
            if run.isEmpty {
                decoded.append(percent)
                index += 1
            } else {
                self.append(run, written: source[index..<(index + 3 * run.count)], to: &decoded)
                index += 3 * run.count
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// The byte of the escape that starts at an index, if there is one.
    private static func escape(in source: [UInt8], at index: Int) -> UInt8? {
        guard index + 2 < source.count, source[index] == UInt8(ascii: "%") else { return nil }
        guard let high = self.digit(source[index + 1]), let low = self.digit(source[index + 2]) else { return nil }
        return high << 4 | low
    }

    /// Appends the bytes of consecutive escapes; those that are no character stay as they were written.
    private static func append(_ run: [UInt8], written: ArraySlice<UInt8>, to decoded: inout [UInt8]) {
        var index = 0
        while index < run.count {
            let length = self.length(ofCharacterFrom: run[index])
            if length > 0, index + length <= run.count,
                String(validating: run[index..<(index + length)], as: UTF8.self) != nil
            {
                decoded.append(contentsOf: run[index..<(index + length)])
                index += length
            } else {
                let start = written.startIndex + 3 * index
                decoded.append(contentsOf: written[start..<(start + 3)])
                index += 1
            }
        }
    }

    /// How many bytes of UTF-8 a first byte announces; 0 for one that cannot be first.
    private static func length(ofCharacterFrom byte: UInt8) -> Int {
        switch byte {
        case 0x00...0x7F: 1
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 0
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
