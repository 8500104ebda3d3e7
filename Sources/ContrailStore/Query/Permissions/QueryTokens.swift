// Splits SQL text into tokens by the rules of SQLite's own tokenizer (tokenize.c), because SQLite does not publish it.
// What is decided on tokens, and why it cannot be decided by the authorizer, is told in QueryShape.swift.

/// One token of an SQL text. White space and comments are not tokens.
struct QueryToken: Equatable {
    enum Kind: Equatable {
        /// A bare word: a keyword or a name, in lower case.
        case word(String)
        /// A quoted name or a text literal (SQLite takes either for a name in some places), in lower case.
        case quoted(String)
        /// `(`, `)`, `,`, `.`, `;` or `*`.
        case mark(UInt8)
        /// A number, a blob, a placeholder or an operator.
        case other
    }

    let kind: Kind

    /// The token as a possible name, in lower case.
    var name: String? {
        switch kind {
        case .word(let text), .quoted(let text): text
        case .mark, .other: nil
        }
    }

    func isWord(_ text: String) -> Bool {
        kind == .word(text)
    }

    func isMark(_ mark: Unicode.Scalar) -> Bool {
        kind == .mark(UInt8(ascii: mark))
    }
}

/// A cursor that reads tokens from bytes.
struct QueryTokens: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func next() -> QueryToken? {
        self.skipSpace()
        guard self.position < self.bytes.count else { return nil }
        let byte = self.bytes[self.position]
        switch byte {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            return QueryToken(kind: .quoted(self.quoted(by: byte)))
        case UInt8(ascii: "["):
            return QueryToken(kind: .quoted(self.bracketed()))
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "*"):
            self.position += 1
            return QueryToken(kind: .mark(byte))
        case UInt8(ascii: "."):
            return self.dot()
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            self.number()
        case UInt8(ascii: "?"):
            self.numberedPlaceholder()
        case UInt8(ascii: "$"), UInt8(ascii: "@"), UInt8(ascii: ":"), UInt8(ascii: "#"):
            self.placeholder()
        case UInt8(ascii: "x"), UInt8(ascii: "X"):
            guard self.byte(after: 1) == UInt8(ascii: "'") else { return QueryToken(kind: .word(self.word())) }
            self.position += 1
            _ = self.quoted(by: UInt8(ascii: "'"))
        case _ where Self.continuesName(byte):
            return QueryToken(kind: .word(self.word()))
        default:
            self.position += 1
        }
        return QueryToken(kind: .other)
    }

    private func byte(after distance: Int) -> UInt8? {
        let index = self.position + distance
        return index < self.bytes.count ? self.bytes[index] : nil
    }

    private mutating func skipSpace() {
        while let byte = self.byte(after: 0) {
            switch byte {
            case 0x09...0x0d, 0x20:
                self.position += 1
            case UInt8(ascii: "-") where self.byte(after: 1) == UInt8(ascii: "-"):
                self.skipLine()
            case UInt8(ascii: "/") where self.byte(after: 1) == UInt8(ascii: "*") && self.byte(after: 2) != nil:
                self.skipBlockComment()
            case 0xef where self.byte(after: 1) == 0xbb && self.byte(after: 2) == 0xbf:
                self.position += 3
            default:
                return
            }
        }
    }

    private mutating func skipLine() {
        while let byte = self.byte(after: 0), byte != 0x0a {
            self.position += 1
        }
    }

    private mutating func skipBlockComment() {
        self.position += 3
        while let byte = self.byte(after: 0) {
            self.position += 1
            // SQLite looks for a star before the slash; the star of the opening does not count.
            if byte == UInt8(ascii: "/"), self.bytes[self.position - 2] == UInt8(ascii: "*") { return }
        }
    }

    private mutating func quoted(by quote: UInt8) -> String {
        var content: [UInt8] = []
        self.position += 1
        while let byte = self.byte(after: 0) {
            self.position += 1
            if byte == quote {
                guard self.byte(after: 0) == quote else { break }
                self.position += 1
            }
            content.append(byte)
        }
        return Self.lowercased(content[...])
    }

    private mutating func bracketed() -> String {
        let start = self.position + 1
        while let byte = self.byte(after: 0), byte != UInt8(ascii: "]") {
            self.position += 1
        }
        defer { self.position += 1 }
        return Self.lowercased(self.bytes[start..<Swift.max(start, self.position)])
    }

    private mutating func dot() -> QueryToken {
        if let digit = self.byte(after: 1), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) {
            self.number()
            return QueryToken(kind: .other)
        }
        self.position += 1
        return QueryToken(kind: .mark(UInt8(ascii: ".")))
    }

    private mutating func number() {
        var previous: UInt8 = 0
        while let byte = self.byte(after: 0) {
            let isSign = byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-")
            let isExponent = isSign && previous | 0x20 == UInt8(ascii: "e") && self.isDigit(after: 1)
            guard Self.continuesName(byte) || byte == UInt8(ascii: ".") || isExponent else { return }
            previous = byte
            self.position += 1
        }
    }

    private func isDigit(after distance: Int) -> Bool {
        self.byte(after: distance).map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } ?? false
    }

    private mutating func numberedPlaceholder() {
        repeat {
            self.position += 1
        } while self.isDigit(after: 0)
    }

    private mutating func placeholder() {
        var hasName = false
        self.position += 1
        while let byte = self.byte(after: 0) {
            if byte == UInt8(ascii: ":"), self.byte(after: 1) == UInt8(ascii: ":") {
                self.position += 2
            } else if Self.continuesName(byte) {
                hasName = true
                self.position += 1
            } else if byte == UInt8(ascii: "("), hasName {
                return self.placeholderSuffix()
            } else {
                return
            }
        }
    }

    // Tcl's arrays, `$name(anything)`: one token, whose parenthesis must not be taken for SQL's.
    private mutating func placeholderSuffix() {
        while let byte = self.byte(after: 0), byte != UInt8(ascii: ")"), !(0x09...0x0d).contains(byte), byte != 0x20 {
            self.position += 1
        }
        if self.byte(after: 0) == UInt8(ascii: ")") { self.position += 1 }
    }

    private mutating func word() -> String {
        let start = self.position
        while let byte = self.byte(after: 0), Self.continuesName(byte) {
            self.position += 1
        }
        return Self.lowercased(self.bytes[start..<self.position])
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...0xff:
            true
        default:
            false
        }
    }

    private static func lowercased(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map(asciiLowercased), as: UTF8.self)
    }
}

/// SQLite compares names without regard to the case of ASCII letters, and of those only.
func asciiLowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}

/// The name with its ASCII letters in lower case.
func asciiLowercased(_ name: UnsafePointer<CChar>) -> String {
    String(decoding: String(cString: name).utf8.map(asciiLowercased), as: UTF8.self)
}
