// Every byte that a trail left, and a search for secrets in it.

import Foundation

/// The files of a trail's directory as they are at one moment, and the lines that were logged.
struct Remains {
    /// A text to look for, in all forms in which a trail could hold it.
    struct Needle {
        /// What must be found as a whole. All have at least eight bytes.
        let forms: [[UInt8]]

        /// Any eight bytes of the text, or of its base64, are the text; of a number any twelve, for digits are everywhere.
        init(_ text: String, isNumber: Bool = false) {
            let length = isNumber ? 12 : 8
            var forms = Self.runs(of: Array(text.utf8), length)
            if isNumber { forms += Self.runs(of: text.utf8.filter { $0 >= 0x30 && $0 <= 0x39 }, length) }
            for shift in 0..<3 {
                // What the bytes before and behind the text have a part in is left out.
                let coded = Data(Array(repeating: 0, count: shift) + Array(text.utf8)).base64EncodedData()
                let whole = Array(coded).dropFirst([0, 2, 3][shift]).dropLast(4)
                forms += Self.runs(of: Array(whole), isNumber ? 16 : 10)
            }
            self.forms = forms
        }

        /// A text that is looked for as a whole.
        init(whole text: String) {
            self.forms = [Array(text.utf8)]
        }

        private static func runs(of bytes: [UInt8], _ length: Int) -> [[UInt8]] {
            guard bytes.count >= length else { return bytes.count >= 8 ? [bytes] : [] }
            return (0...(bytes.count - length)).map { Array(bytes[$0..<$0 + length]) }
        }
    }

    private let contents: [(name: String, bytes: [UInt8])]

    /// Reads everything.
    init(of directory: TemporaryTrail, logged lines: [String]) throws {
        self.contents =
            try directory.contents().map { ($0.key, Array($0.value)) }
            + [("the log", Array(lines.joined(separator: "\n").utf8))]
    }

    /// The names of the files.
    var files: [String] { self.contents.map(\.name) }

    /// Which needles are where, as they stand or behind percent signs and the escapes of JSON.
    func places(of needles: [Needle]) -> [(index: Int, place: String)] {
        var starts: [UInt64: [(index: Int, form: [UInt8])]] = [:]
        var isFirst = [Bool](repeating: false, count: 1 << 16)
        for (index, needle) in needles.enumerated() {
            for form in needle.forms {
                starts[Self.start(of: form), default: []].append((index, form))
                isFirst[Int(form[0]) | Int(form[1]) << 8] = true
            }
        }
        var found: [(Int, String)] = []
        for (name, bytes) in self.contents {
            var here: Set<Int> = []
            for text in [bytes, Self.decoded(bytes)] where text.count >= 8 {
                text.withUnsafeBytes { text in
                    for offset in 0...(text.count - 8) where isFirst[Int(text[offset]) | Int(text[offset + 1]) << 8] {
                        let start = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                        for (index, form) in starts[start] ?? [] where !here.contains(index) {
                            if text[offset...].starts(with: form) { here.insert(index) }
                        }
                    }
                }
            }
            found += here.sorted().map { ($0, name) }
        }
        return found
    }

    private static func start(of form: [UInt8]) -> UInt64 {
        form.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }

    /// The bytes with `%41`, `\u0041` and `\/` undone.
    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), let value = self.hex(bytes, index + 1) {
                output.append(value)
                index += 3
            } else if byte == UInt8(ascii: "\\"), index + 5 < bytes.count, bytes[index + 1] == UInt8(ascii: "u"),
                let value = self.hex(bytes, index + 4)
            {
                output.append(value)
                index += 6
            } else if byte == UInt8(ascii: "\\") {
                index += 1
            } else {
                output.append(byte)
                index += 1
            }
        }
        return output
    }

    private static func hex(_ bytes: [UInt8], _ index: Int) -> UInt8? {
        guard index + 1 < bytes.count else { return nil }
        return UInt8(String(decoding: bytes[index...(index + 1)], as: UTF8.self), radix: 16)
    }
}
