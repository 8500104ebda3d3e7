// Which names are secret. What is redacted is never stored, so it cannot leak.

/// Decides by name what must not be stored: keys of `g`, and `name=value` pairs inside free text.
///
/// A name is secret when it contains one of ``names``, compared without case and without `_`, `-`, `.` and blanks:
/// `api_key` also covers `X-API-Key` and `stripeApiKey`. Of names of up to three letters, one of its words must be the name:
/// `pin` covers `card_pin` and `userPin`, and not `shipping`.
public struct RedactionPolicy: Sendable {
    /// What stands in place of a redacted piece of text.
    public static let placeholder = "[redacted]"

    /// The names that are secret unless said otherwise.
    public static let defaultNames = [
        "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "privatekey", "credential",
        "authorization", "bearer", "cookie", "sessionid", "csrf", "signature", "creditcard", "cardnumber", "cvv", "cvc",
        "iban", "ssn", "pin",
    ]

    /// The secret names, normalised: lower case letters and digits only.
    public let names: [String]

    private let patterns: [[UInt8]]
    /// Names so short that they occur inside innocent words (`pin` in `shipping`) must match a whole word.
    private static let wholeWordLimit = 3

    /// Makes a policy. Names are normalised as described above; empty ones are ignored.
    public init(names: [String] = RedactionPolicy.defaultNames) {
        let normalised = names.map { Self.normalised($0.utf8) }.filter { !$0.isEmpty }
        self.patterns = normalised
        self.names = normalised.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether values under this name must not be stored.
    public func isSecret(_ name: String) -> Bool {
        self.isSecret(Array(name.utf8)[...])
    }

    /// The value as it may be stored under this name.
    package func redacted(_ value: RecordedValue, under name: String) -> RecordedValue {
        self.redacted(value, underSecret: self.isSecret(name))
    }

    /// The value as it may be stored under a name of which it is known whether it is secret.
    package func redacted(_ value: RecordedValue, underSecret isSecret: Bool) -> RecordedValue {
        if case .null = value { return value }
        if isSecret { return .redacted }
        // A text that was changed would not be the exact value that it claims to be.
        if case .text(let text) = value, text.utf8.contains(where: Self.isSeparator), self.redacted(text) != text {
            return .redacted
        }
        return value
    }

    private func isSecret(_ name: ArraySlice<UInt8>) -> Bool {
        if name.isEmpty { return false }
        let whole = Self.normalised(name)
        var words: [[UInt8]]?
        return self.patterns.contains { pattern in
            if pattern.count > Self.wholeWordLimit { return Self.contains(whole, pattern) }
            if whole == pattern { return true }
            let known = words ?? Self.words(of: name)
            words = known
            return known.contains(pattern)
        }
    }

    /// The words of a name, in lower case: it ends at anything but a letter or digit, and before a capital after a small
    /// letter.
    private static func words(of name: ArraySlice<UInt8>) -> [[UInt8]] {
        var words: [[UInt8]] = [[]]
        var isAfterSmall = false
        for byte in name {
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            let kept = Self.normalised(CollectionOfOne(byte))
            if kept.isEmpty || (isCapital && isAfterSmall) { words.append([]) }
            words[words.count - 1] += kept
            isAfterSmall = !kept.isEmpty && !isCapital
        }
        return words
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
    /// After `=` a value reaches to the next blank, comma, semicolon, ampersand or closing bracket; after `:` blanks and
    /// ampersands belong to it. One that begins with a quote reaches to the closing quote. After `Authorization:` and
    /// `Cookie:` the rest of the line goes. Limits are pulled into 0 to 1 MiB.
    public func redacted(_ text: String, limit: Int = 256) -> String {
        // What is short and pairs nothing with a name stays as it is; names and paths nearly always do.
        if text.utf8.count <= limit, !text.utf8.contains(where: Self.isSuspicious) { return text }
        let direct = self.redactedDirectly(text, limit: limit)
        guard text.utf8.contains(UInt8(ascii: "%")) else { return direct }
        // What hides behind percent signs is as secret as in clear.
        let decoded = Self.percentDecoded(text.utf8)
        let hidden = self.redactedDirectly(decoded, limit: limit)
        return hidden == self.cutWhole(decoded, limit: limit) ? direct : hidden
    }

    private func cutWhole(_ text: String, limit: Int) -> String {
        Self.cut(text.utf8, to: min(max(limit, 0), Self.mostBytes))
    }

    private static func percentDecoded(_ text: some Collection<UInt8>) -> String {
        let bytes = Array(text)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let pair = bytes[index...].dropFirst().prefix(2)
            if bytes[index] == UInt8(ascii: "%"), pair.count == 2,
                let byte = UInt8(String(decoding: pair, as: UTF8.self), radix: 16)
            {
                output.append(byte)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private func redactedDirectly(_ text: String, limit: Int) -> String {
        let limit = min(max(limit, 0), Self.mostBytes)
        let input = Self.whole(text.utf8, limit: limit * 4)
        guard input.contains(where: Self.isSeparator) else { return Self.cut(input, to: limit) }
        var output: [UInt8] = []
        var index = 0
        while index < input.endIndex {
            let byte = input[index]
            output.append(byte)
            index += 1
            guard Self.isSeparator(byte) else { continue }
            let name = Self.nameBefore(index - 1, in: input)
            guard self.isSecret(name) else { continue }
            let start = Self.skipBlanks(from: index, in: input)
            let end = Self.endOfValue(from: start, in: input, stops: Self.stops(after: byte, name))
            output.append(contentsOf: input[index..<start])
            if end > start { output.append(contentsOf: Self.placeholder.utf8) }
            index = end
        }
        return Self.cut(output, to: limit)
    }

    /// No text is kept beyond this many bytes, whatever limit is asked for.
    private static let mostBytes = 1 << 20

    /// The text of at most `limit` bytes, cut on a character boundary.
    static func cut(_ text: some Collection<UInt8>, to limit: Int) -> String {
        String(decoding: self.whole(text, limit: limit), as: UTF8.self)
    }

    /// The same for text that most often is short enough.
    static func cut(_ text: String, to limit: Int) -> String {
        text.utf8.count <= limit ? text : self.cut(text.utf8, to: limit)
    }

    /// The whole characters among the first `limit` bytes.
    private static func whole(_ text: some Collection<UInt8>, limit: Int) -> ArraySlice<UInt8> {
        let bytes = Array(text.prefix(limit + 1))
        guard bytes.count > limit else { return bytes[...] }
        var end = limit
        while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return bytes[..<end]
    }

    /// Whether the byte can belong to a pair of a name and a value: between them, or hiding what is.
    private static func isSuspicious(_ byte: UInt8) -> Bool {
        self.isSeparator(byte) || byte == UInt8(ascii: "%")
    }

    private static func isSeparator(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":")
    }

    private static func nameBefore(_ index: Int, in text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end = index
        while end > 0, self.isBlank(text[end - 1]) { end -= 1 }
        var start = end
        while start > 0, self.isNameByte(text[start - 1]) { start -= 1 }
        return text[start..<end]
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "]"), 0x80...:
            true
        default: false
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t")
    }

    private static func skipBlanks(from start: Int, in text: ArraySlice<UInt8>) -> Int {
        var index = start
        while index < text.endIndex, self.isBlank(text[index]) { index += 1 }
        return index
    }

    /// The bytes that end a value without quotes.
    private static func stops(after separator: UInt8, _ name: ArraySlice<UInt8>) -> [UInt8] {
        if separator == UInt8(ascii: "=") { return Array(" \t\r\n,;&}])".utf8) }
        let name = self.normalised(name)
        let isHeader = ["authorization", "cookie"].contains { self.contains(name, Array($0.utf8)) }
        return isHeader ? Array("\r\n".utf8) : Array("\r\n,;}])".utf8)
    }

    private static func endOfValue(from start: Int, in text: ArraySlice<UInt8>, stops: [UInt8]) -> Int {
        guard start < text.endIndex else { return start }
        if text[start] == UInt8(ascii: "\"") || text[start] == UInt8(ascii: "'") {
            return self.endOfQuoted(from: start, in: text)
        }
        var index = start
        while index < text.endIndex, !stops.contains(text[index]) {
            // `password: Optional("a, b")`: what ends a value does not end it inside quotes.
            index = text[index] == UInt8(ascii: "\"") ? self.endOfQuoted(from: index, in: text) : index + 1
        }
        return index
    }

    private static func endOfQuoted(from start: Int, in text: ArraySlice<UInt8>) -> Int {
        var index = start + 1
        while index < text.endIndex, text[index] != text[start] { index += text[index] == UInt8(ascii: "\\") ? 2 : 1 }
        return min(index + 1, text.endIndex)
    }
}
