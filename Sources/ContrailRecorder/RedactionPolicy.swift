// Which names are secret. What is redacted is never stored, so it cannot leak.

/// Decides by name what must not be stored: keys of `g`, and `name=value` pairs inside free text.
///
/// A name is secret when it contains one of ``names``, compared without case and without `_`, `-`, `.` and blanks:
/// `api_key` also covers `X-API-Key` and `stripeApiKey`.
public struct RedactionPolicy: Sendable {
    /// What stands in place of a redacted piece of text.
    public static let placeholder = "[redacted]"

    /// The names that are secret unless said otherwise.
    public static let defaultNames = [
        "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "privatekey", "credential",
        "authorization", "bearer", "cookie", "sessionid", "csrf", "signature", "creditcard", "cardnumber", "cvv", "cvc", "iban",
        "ssn", "pin",
    ]

    /// The secret names, normalised: lower case letters and digits only.
    public let names: [String]

    private let patterns: [[UInt8]]
    /// Names so short that they occur inside innocent words (`pin` in `shipping`) must match a whole name.
    private static let wholeNameLimit = 3

    /// Makes a policy. Names are normalised as described above; empty ones are ignored.
    public init(names: [String] = RedactionPolicy.defaultNames) {
        let normalised = names.map { Self.normalised($0.utf8) }.filter { !$0.isEmpty }
        self.patterns = normalised
        self.names = normalised.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether values under this name must not be stored.
    public func isSecret(_ name: String) -> Bool {
        self.isSecret(Self.normalised(name.utf8))
    }

    /// The value as it may be stored under this name.
    public func redacted(_ value: RecordedValue, under name: String) -> RecordedValue {
        if value == .null { return value }
        return self.isSecret(name) ? .redacted : value
    }

    private func isSecret(_ name: [UInt8]) -> Bool {
        self.patterns.contains { pattern in
            pattern.count <= Self.wholeNameLimit ? name == pattern : Self.contains(name, pattern)
        }
    }

    private static func normalised(_ text: some Sequence<UInt8>) -> [UInt8] {
        text.compactMap { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...: byte
            default: nil
            }
        }
    }

    private static func contains(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        guard text.count >= pattern.count else { return false }
        return (0...(text.count - pattern.count)).contains { start in
            text[start...].starts(with: pattern)
        }
    }
}

extension RedactionPolicy {
    /// Free text as it may be stored: the value of every `name=value` or `name: value` with a secret name is replaced, then
    /// the text is cut to `limit` bytes of UTF-8 on a character boundary.
    ///
    /// A value reaches to the next blank, comma, semicolon, ampersand or closing bracket, or to the closing quote when it
    /// begins with one. After `Authorization:` and the like the rest of the line goes.
    public func redacted(_ text: String, limit: Int = 256) -> String {
        let input = Array(text.utf8.prefix(limit * 4))
        var output: [UInt8] = []
        var index = 0
        while index < input.count {
            let byte = input[index]
            guard byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":"), self.isSecret(Self.nameBefore(index, in: input))
            else {
                output.append(byte)
                index += 1
                continue
            }
            output.append(byte)
            let start = Self.skipBlanks(from: index + 1, in: input)
            let end = Self.endOfValue(from: start, in: input, wholeLine: byte == UInt8(ascii: ":"))
            output.append(contentsOf: input[(index + 1)..<start])
            if end > start { output.append(contentsOf: Self.placeholder.utf8) }
            index = end
        }
        return Self.cut(output, to: limit)
    }

    private static func nameBefore(_ index: Int, in text: [UInt8]) -> [UInt8] {
        var start = index
        while start > 0, Self.isNameByte(text[start - 1]) { start -= 1 }
        return Self.normalised(text[start..<index])
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "\""), 0x80...:
            true
        default: false
        }
    }

    private static func skipBlanks(from start: Int, in text: [UInt8]) -> Int {
        var index = start
        while index < text.count, text[index] == UInt8(ascii: " ") { index += 1 }
        return index
    }

    private static func endOfValue(from start: Int, in text: [UInt8], wholeLine: Bool) -> Int {
        guard start < text.count else { return start }
        let first = text[start]
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            return text[(start + 1)...].firstIndex(of: first).map { $0 + 1 } ?? text.count
        }
        let stops: [UInt8] = wholeLine ? Array("\r\n,;}])".utf8) : Array(" \t\r\n,;&}])".utf8)
        return text[start...].firstIndex { stops.contains($0) } ?? text.count
    }

    private static func cut(_ bytes: [UInt8], to limit: Int) -> String {
        guard bytes.count > limit else { return String(decoding: bytes, as: UTF8.self) }
        var end = limit
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
