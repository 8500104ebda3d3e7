// Text, headers and bodies as they may be stored.

extension RedactionPolicy {
    /// Free text as it may be stored: the value of every secret name and what has the shape of a secret is replaced by
    /// ``placeholder``, then the text is cut to `limit` bytes of UTF-8 on a character boundary.
    ///
    /// After `name=` a value reaches to the next blank, comma, semicolon, ampersand or closing bracket; after `name:` blanks
    /// and ampersands belong to it. One that begins with a quote or a bracket reaches to the closing one. After
    /// `Authorization:` and `Cookie:` the rest of the line goes. What is written with percent signs or backslashes is read as
    /// what it means. Limits are pulled into 0 to 1 MiB.
    public func redacted(_ text: String, limit: Int = 256) -> String {
        let redacted = text.utf8.withContiguousStorageIfAvailable { self.changed($0, limit: limit, isCut: false) }
        switch redacted {
        case .some(.none): return text
        case .some(.some(let bytes)): return String(decoding: bytes, as: UTF8.self)
        case .none: return String(decoding: self.redacted(body: Array(text.utf8), limit: limit), as: UTF8.self)
        }
    }

    /// The value of a header field as it may be stored: the placeholder when its name is secret, else as free text.
    public func redacted(header name: String, value: String, limit: Int = 1024) -> String {
        guard !value.isEmpty, self.isSecret(name) else { return self.redacted(value, limit: limit) }
        return Self.cut(Self.placeholder, to: max(limit, 0))
    }

    /// A body as it may be stored: as free text, byte by byte, so that what is no UTF-8 stays as it is.
    ///
    /// Give the whole body if you have it: the cut comes after the search, so that no secret leaves its head behind.
    ///
    /// - Parameters:
    ///   - body: The bytes.
    ///   - limit: How many bytes are kept, from 0 to 1 MiB.
    ///   - isCut: Whether these are only the first bytes of the body: what could be the head of a secret at their end is
    ///     then replaced as well.
    public func redacted(body: some Collection<UInt8>, limit: Int = 65_536, isCut: Bool = false) -> [UInt8] {
        let bytes = Array(body.prefix(Self.window(limit) + 1))
        return bytes.withUnsafeBufferPointer { self.changed($0, limit: limit, isCut: isCut) } ?? bytes
    }

    /// Whether the text holds a secret.
    func hasSecret(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { self.rules.hasSecret(in: $0) }
    }

    // MARK: - Searching and cutting

    /// No text is kept beyond this many bytes, whatever limit is asked for.
    private static let mostBytes = 1 << 20
    /// How much further than the cut is searched: the whole of a long secret, so that its head is known for one.
    private static let margin = 8192

    /// How many bytes are looked at when so many are kept.
    private static func window(_ limit: Int) -> Int {
        let limit = min(max(limit, 0), Self.mostBytes)
        return min(limit * 4, Self.mostBytes) + Self.margin
    }

    /// The bytes without secrets, cut; nil when they may stay as they are.
    private func changed(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int, isCut: Bool) -> [UInt8]? {
        if bytes.count <= limit, self.rules.marks.first(in: bytes, from: 0, isCut: isCut) == bytes.count { return nil }
        let limit = min(max(limit, 0), Self.mostBytes)
        let window = Self.wholeLength(bytes, limit: Self.window(limit))
        let searched = UnsafeBufferPointer(rebasing: bytes[..<window])
        let secrets = self.rules.secrets(in: searched, isCut: isCut || window < bytes.count)
        if secrets.isEmpty {
            return bytes.count <= limit ? nil : Array(bytes[..<Self.wholeLength(bytes, limit: limit)])
        }
        var output: [UInt8] = []
        var copied = 0
        for secret in secrets where output.count <= limit {
            output.append(contentsOf: searched[copied..<secret.lowerBound])
            output.append(contentsOf: Self.placeholder.utf8)
            copied = secret.upperBound
        }
        if output.count <= limit { output.append(contentsOf: searched[copied...].prefix(limit + 1 - output.count)) }
        return output.withUnsafeBufferPointer { Array($0[..<Self.wholeLength($0, limit: limit)]) }
    }

    /// How many of the first `limit` bytes are whole characters.
    private static func wholeLength(_ bytes: UnsafeBufferPointer<UInt8>, limit: Int) -> Int {
        guard bytes.count > limit else { return bytes.count }
        var end = limit
        // A character has at most four bytes; more that go on are no text, and any cut does.
        while end > max(0, limit - 3), bytes[end] & 0xC0 == 0x80 { end -= 1 }
        return end
    }

    /// Text of at most `limit` bytes, cut on a character boundary.
    static func cut(_ text: some Collection<UInt8>, to limit: Int) -> String {
        let bytes = Array(text.prefix(limit + 1))
        return bytes.withUnsafeBufferPointer { bytes in
            String(decoding: bytes[..<self.wholeLength(bytes, limit: limit)], as: UTF8.self)
        }
    }

    /// The same for text that most often is short enough.
    static func cut(_ text: String, to limit: Int) -> String {
        text.utf8.count <= limit ? text : self.cut(text.utf8, to: limit)
    }
}
