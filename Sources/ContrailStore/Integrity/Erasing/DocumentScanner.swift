// JSON as it stands in a text: every name and every value with the bytes that it takes.

/// Goes through a document token by token. Members of one name come one by one, numbers as they are written, and of a text that
/// is cut or broken comes what can be read. Neither its depth nor its length has a limit.
struct DocumentScanner {
    /// What comes next.
    enum Token: Equatable {
        case begin(isObject: Bool)
        case end
        case name(String)
        case string(String)
        /// A number, a boolean, or null.
        case literal(String)
    }

    private let bytes: [UInt8]
    private var position: Int
    private var frames: [Bool] = []
    /// Where the last token stands.
    private(set) var range = 0..<0
    /// Whether something was not as in a document.
    private(set) var isBroken = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next token; nil at the end.
    mutating func next() -> Token? {
        while self.position < self.bytes.count {
            let start = self.position
            let byte = self.bytes[start]
            self.position += 1
            defer { self.range = start..<self.position }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                self.frames.append(byte == UInt8(ascii: "{"))
                return .begin(isObject: byte == UInt8(ascii: "{"))
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if self.frames.popLast() == (byte == UInt8(ascii: "}")) { return .end }
                self.isBroken = true
            case UInt8(ascii: "\""):
                let text = self.string()
                return self.frames.last == true && self.isBeforeColon ? .name(text) : .string(text)
            case UInt8(ascii: ","), UInt8(ascii: ":"):
                if self.frames.isEmpty { self.isBroken = true }
            case 0x20, 0x09, 0x0A, 0x0D: break
            default:
                if let literal = self.literal(from: start) { return .literal(literal) }
                self.isBroken = true
            }
        }
        if !self.frames.isEmpty { self.isBroken = true }
        return nil
    }

    /// Goes to the end of the object or list that has just begun.
    mutating func skip() {
        let depth = self.frames.count
        while self.frames.count >= depth, self.next() != nil {}
    }

    /// The values of the object or list that a text is, the names of its members, and the bytes of each; nil when it is something
    /// else, or broken.
    static func items(of bytes: [UInt8]) -> [(name: String?, value: Range<Int>)]? {
        var scanner = DocumentScanner(bytes)
        guard case .begin = scanner.next() else { return nil }
        var items: [(String?, Range<Int>)] = []
        var name: String?
        while let token = scanner.next() {
            let start = scanner.range.lowerBound
            switch token {
            case .name(let text):
                name = text
                continue
            case .end: continue
            case .begin: scanner.skip()
            case .string, .literal: break
            }
            items.append((name, start..<scanner.range.upperBound))
            name = nil
        }
        return scanner.isBroken ? nil : items
    }

    /// The text of a value that is a string.
    static func string(_ bytes: ArraySlice<UInt8>) -> String? {
        var scanner = DocumentScanner(Array(bytes))
        if case .string(let text) = scanner.next() { return text }
        return nil
    }

    /// Whether a text is a number as documents have them.
    static func isNumber(_ text: String) -> Bool {
        var rest = text.utf8[...]
        func dropDigits() -> Int {
            let count = rest.prefix { 0x30...0x39 ~= $0 }.count
            rest = rest.dropFirst(count)
            return count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let beginsWithZero = rest.first == UInt8(ascii: "0")
        let count = dropDigits()
        guard count > 0, !beginsWithZero || count == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard dropDigits() > 0 else { return false }
        }
        if let byte = rest.first, byte | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, "+-".utf8.contains(sign) { rest = rest.dropFirst() }
            guard dropDigits() > 0 else { return false }
        }
        return rest.isEmpty
    }

    private var isBeforeColon: Bool {
        self.bytes[self.position...].first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: ":")
    }

    private mutating func literal(from start: Int) -> String? {
        let end = self.bytes[start...].firstIndex { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                false
            default: true
            }
        }
        self.position = max(end ?? self.bytes.count, start + 1)
        let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
        return ["true", "false", "null"].contains(text) || Self.isNumber(text) ? text : nil
    }

    /// The rest of a string whose first quote was read.
    private mutating func string() -> String {
        var output: [UInt8] = []
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            self.position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: output, as: UTF8.self) }
            if byte != UInt8(ascii: "\\") {
                output.append(byte)
            } else if let text = Spelling.escape(in: self.bytes, at: &self.position) {
                output += text
            } else {
                self.isBroken = true
            }
        }
        self.isBroken = true
        return String(decoding: output, as: UTF8.self)
    }
}
