// Values that stand behind a secret name: in assignments, JSON, headers, XML and forms.

extension SecretScan {
    /// Nobody's name is longer; only the end of a longer one is looked at.
    private static let mostName = 256
    private static let equals = UInt8(ascii: "=")
    private static let colon = UInt8(ascii: ":")
    private static let quote = UInt8(ascii: "\"")

    /// The value behind the separator here, if the name before it is secret.
    ///
    /// After `=` a value reaches to the next blank, comma, semicolon, ampersand or closing bracket; after `:` blanks and
    /// ampersands belong to it. One that begins with a quote or a bracket reaches to the closing one. After
    /// `Authorization:` and `Cookie:` the rest of the line goes.
    mutating func namedValue(at index: Int) -> Range<Int>? {
        let separator = self.bytes[index]
        // Of `==` and `=>` only the first sign stands behind a name.
        let behind = self.end(of: { $0 == Self.equals || $0 == UInt8(ascii: ">") }, from: index + 1)
        self.next = behind
        let name = self.name(before: index)
        guard !name.isEmpty else { return nil }
        if separator == UInt8(ascii: ">") { return self.element(name, behind: index) }
        guard self.rules.names.contains(name, of: self.bytes) else {
            return separator == Self.equals && name.count == 4 && self.has("name", at: name.lowerBound)
                ? self.part(from: index + 1) : nil
        }
        let start = self.end(of: { $0.isBlank }, from: behind)
        let end = self.endOfValue(from: start, behind: separator, name)
        return start < end ? start..<end : nil
    }

    private func name(before index: Int) -> Range<Int> {
        let end = self.start(of: { $0.isBlank }, before: index)
        let least = max(self.settled, end - Self.mostName)
        var start = end
        while start > least, Self.isNameByte(self.bytes[start - 1]) { start -= 1 }
        return start..<end
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        if byte.isAlphanumeric || byte >= 0x80 { return true }
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "\""), UInt8(ascii: "'"),
            UInt8(ascii: "\\"), UInt8(ascii: "]"):
            return true
        default: return false
        }
    }

    private func endOfValue(from start: Int, behind separator: UInt8, _ name: Range<Int>) -> Int {
        switch self.byte(start) {
        case Self.quote, UInt8(ascii: "'"): return self.endOfQuoted(from: start)
        case UInt8(ascii: "["), UInt8(ascii: "{"): return self.endOfNested(from: start)
        default: break
        }
        if separator == Self.equals {
            let end = self.endOfPlain(from: start) { byte in
                byte.isBlank || byte == UInt8(ascii: "&") || Self.endsValue(byte)
            }
            // `authorization=Bearer x`: the scheme is no value.
            let rest = self.end(of: { $0.isBlank }, from: end)
            guard rest > end, self.isScheme(start..<end) else { return end }
            return self.end(of: { !$0.isLineEnd && $0 != UInt8(ascii: "&") }, from: rest)
        }
        if self.isHeader(name) { return self.endOfPlain(from: start) { $0.isLineEnd } }
        return self.endOfPlain(from: start, where: Self.endsValue)
    }

    private static func endsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: ")"): true
        default: byte.isLineEnd
        }
    }

    private func endOfPlain(from start: Int, where isEnd: (UInt8) -> Bool) -> Int {
        var index = start
        while index < self.bytes.count, !isEnd(self.bytes[index]) {
            // `password: Optional("a, b")`: what ends a value does not end it inside quotes.
            index = self.bytes[index] == Self.quote ? self.endOfQuoted(from: index) : index + 1
        }
        return min(index, self.bytes.count)
    }

    private func endOfQuoted(from start: Int) -> Int {
        let mark = self.bytes[start]
        var index = start + 1
        while index < self.bytes.count, self.bytes[index] != mark {
            index += self.bytes[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return min(index + 1, self.bytes.count)
    }

    /// Behind the bracket that closes the one here; the end of everything when none does.
    private func endOfNested(from start: Int) -> Int {
        var depth = 0
        var index = start
        while index < self.bytes.count {
            switch self.bytes[index] {
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case Self.quote:
                index = self.endOfQuoted(from: index)
                continue
            default: break
            }
            index += 1
            if depth == 0 { return index }
        }
        return self.bytes.count
    }

    private func isScheme(_ word: Range<Int>) -> Bool {
        AuthorizationScheme.all.contains { scheme in
            scheme.name.utf8CodeUnitCount == word.count && self.has(scheme.name, at: word.lowerBound)
        }
    }

    private func isHeader(_ name: Range<Int>) -> Bool {
        name.contains { self.has("authorization", at: $0) || self.has("cookie", at: $0) }
    }

    // MARK: - XML and forms

    /// The text between the tag that ends here and the next one.
    private func element(_ name: Range<Int>, behind index: Int) -> Range<Int>? {
        guard self.byte(name.lowerBound - 1) == UInt8(ascii: "<"), name.upperBound == index,
            self.rules.names.contains(name, of: self.bytes)
        else { return nil }
        let end = self.end(of: { $0 != UInt8(ascii: "<") }, from: index + 1)
        return index + 1 < end ? index + 1..<end : nil
    }

    /// The body of a form's part whose name is quoted here: behind the empty line, to the line of the boundary.
    private func part(from start: Int) -> Range<Int>? {
        guard self.byte(start) == Self.quote else { return nil }
        let limit = min(self.bytes.count, start + Self.mostName)
        guard let end = (start + 1..<max(start + 1, limit)).first(where: { self.bytes[$0] == Self.quote }),
            self.rules.names.contains(start + 1..<end, of: self.bytes)
        else { return nil }
        var index = end
        let most = min(self.bytes.count, end + 4 * Self.mostName)
        while index < most, !self.has("\r\n\r\n", at: index) { index += 1 }
        guard index < most else { return nil }
        let body = index + 4
        index = body
        while index < self.bytes.count, !self.has("\r\n--", at: index) { index += 1 }
        return body < index ? body..<index : nil
    }
}
