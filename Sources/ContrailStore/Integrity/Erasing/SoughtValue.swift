// Whether what somebody stored has a value under a key, in one of the forms that values are sent and stored in.

internal import Foundation

/// A value that is looked for, and the key it belongs to.
///
/// It is found where something of that name holds it: a member of a document at any depth, also one that stands in a string of
/// another; a field of a form; an argument of a query; a header. In text of another form it counts as found when key and value both
/// occur, in one spelling or another: rather too much goes than too little.
struct SoughtValue {
    /// Documents in strings of documents are looked into so often.
    private static let mostLevels = 8

    let key: String
    let text: String
    /// The text again when it is an object or a list, in the one way that these are compared in.
    private let document: Data?

    init(key: String, text: String) {
        self.key = key
        self.text = text
        self.document = Self.canonical(Data(text.utf8))
    }

    /// What occurs in each document that has the key: itself, or nothing when it can be written in several ways.
    var keyInDocuments: String {
        let isPlain = self.key.utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 && !#""\/<>&'"#.utf8.contains($0) }
        return isPlain ? self.key : ""
    }

    /// Whether a header is the key's and has the value, alone or in a list. Names are not told apart by their case.
    func isIn(header name: String, _ value: String) -> Bool {
        guard name.caseInsensitiveCompare(self.key) == .orderedSame else { return false }
        return value == self.text
            || value.split(separator: ",").contains { $0.trimmingCharacters(in: .whitespaces) == self.text }
    }

    /// Whether the value is an argument of the query.
    func isIn(target: String) -> Bool {
        let bytes = Array(target.utf8)
        guard let mark = bytes.firstIndex(of: UInt8(ascii: "?")) else { return false }
        let query = Array(bytes[(mark + 1)...].prefix { $0 != UInt8(ascii: "#") })
        return self.isIn(form: query) || self.occurs(in: query, isKeyGone: false)
    }

    /// Whether a value as the trail stores it, which is that of a name, is the one or has it in it. What is encoded stands in an
    /// object that says its type.
    func isIn(stored bytes: [UInt8], under name: String?) -> Bool {
        var bytes = bytes
        if let items = DocumentScanner.items(of: bytes), items.contains(where: { $0.name == "type" }) {
            guard let value = items.first(where: { $0.name == "value" })?.value else { return false }
            bytes = Array(bytes[value])
        }
        let search = self.search(bytes, under: name, level: 0)
        return search.isFound || !search.isWhole && self.occurs(in: bytes, isKeyGone: name == self.key)
    }

    /// Whether a body holds the value, or may hold it.
    ///
    /// - Parameter isKeyGone: Whether a part of the body is missing, in which the key may have stood.
    func isIn(body: [UInt8], isKeyGone: Bool = false) -> Bool { self.isIn(body: body, isKeyGone: isKeyGone, level: 0) }

    private func isIn(body: [UInt8], isKeyGone: Bool, level: Int) -> Bool {
        let text = Spelling.text(body)
        let search = self.search(text, under: nil, level: level)
        if search.isFound || self.isIn(form: body) { return true }
        return (!search.isWhole || isKeyGone) && self.occurs(in: body, isKeyGone: isKeyGone)
    }

    // MARK: - Documents

    /// An object or a list that has begun.
    private struct Frame {
        /// Whether it is the value of the key, or in it.
        var isUnderKey: Bool
        /// The name of the member that comes.
        var name: String?
        /// Whether a member's value is the key, and whether one is the value: `{"name": key, "value": value}`.
        var namesKey = false
        var hasText = false
    }

    private func search(_ bytes: [UInt8], under name: String?, level: Int) -> (isFound: Bool, isWhole: Bool) {
        var scanner = DocumentScanner(bytes)
        var frames = [Frame(isUnderKey: false, name: name)]
        while let token = scanner.next() {
            var frame = frames.removeLast()
            let isUnderKey = frame.isUnderKey || frame.name == self.key
            switch token {
            case .name(let text):
                frame.name = text
                frames.append(frame)
                continue
            case .begin:
                if self.document != nil, frame.name == self.key {
                    var ahead = scanner
                    ahead.skip()
                    let value = bytes[scanner.range.lowerBound..<ahead.range.upperBound]
                    if Self.canonical(Data(value)) == self.document { return (true, true) }
                }
                frame.name = frames.isEmpty ? frame.name : nil
                frames += [frame, Frame(isUnderKey: isUnderKey)]
                continue
            case .end:
                if frame.namesKey && frame.hasText { return (true, true) }
                continue
            case .string(let text):
                if isUnderKey, text == self.text { return (true, true) }
                if text == self.key { frame.namesKey = true }
                if text == self.text { frame.hasText = true }
                if level < Self.mostLevels, text.utf8.count > self.key.utf8.count, text.contains(self.key),
                    self.isIn(body: Array(text.utf8), isKeyGone: false, level: level + 1)
                {
                    return (true, true)
                }
            case .literal(let text):
                let isSame = self.isSame(literal: text)
                if isUnderKey, isSame { return (true, true) }
                if isSame { frame.hasText = true }
            }
            frame.name = frames.isEmpty ? frame.name : nil
            frames.append(frame)
        }
        return (false, !scanner.isBroken)
    }

    /// Whether a number, a boolean or null reads like the text. Numbers of few digits may be written in different ways.
    private func isSame(literal: String) -> Bool {
        if literal == self.text { return true }
        guard DocumentScanner.isNumber(literal), DocumentScanner.isNumber(self.text) else { return false }
        let both = [literal, self.text]
        guard both.contains(where: { $0.contains { ".eE".contains($0) } }),
            both.allSatisfy({ $0.filter(\.isNumber).count <= 15 })
        else { return false }
        return Double(literal) == Double(self.text)
    }

    /// The same bytes for the same object or list; nil for anything else.
    private static func canonical(_ bytes: Data) -> Data? {
        guard let first = bytes.first(where: { $0 > 0x20 }), "{[".utf8.contains(first) else { return nil }
        return (try? JSONSerialization.jsonObject(with: bytes))
            .flatMap { try? JSONSerialization.data(withJSONObject: $0, options: .sortedKeys) }
    }

    // MARK: - Other text

    private func isIn(form: [UInt8]) -> Bool {
        form.split { "&;\r\n".utf8.contains($0) }.contains { field in
            guard let mark = field.firstIndex(of: UInt8(ascii: "=")) else { return false }
            return self.isKey(field: Self.decoded(field[..<mark])) && Self.decoded(field[(mark + 1)...]) == self.text
        }
    }

    /// Whether a field is the key's: `key`, `key[]`, `user[key]` or `user.key`.
    private func isKey(field: String) -> Bool {
        let name = field.hasSuffix("[]") ? String(field.dropLast(2)) : field
        return name == self.key || name.hasSuffix("[\(self.key)]") || name.hasSuffix(".\(self.key)")
    }

    private static func decoded(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: Spelling.text(Spelling.percentDecoded(bytes)), as: UTF8.self)
    }

    /// Whether key and value both occur in text of any form.
    private func occurs(in bytes: [UInt8], isKeyGone: Bool) -> Bool {
        Spelling.readings(of: bytes).contains { reading in
            let reading = Data(reading)
            return reading.range(of: Data(self.text.utf8)) != nil
                && (isKeyGone || reading.range(of: Data(self.key.utf8)) != nil)
        }
    }
}
