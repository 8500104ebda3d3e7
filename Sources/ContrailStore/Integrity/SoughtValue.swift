// Whether what somebody stored has a value under a key, in one of the forms that values are sent and stored in.

internal import Foundation

/// A value that is looked for, and the key it belongs to.
///
/// It is found where something of that name holds it: a member of a JSON document at any depth, a field of a form, an argument of
/// a query, a header. In text of another form it counts as found when key and value both occur.
struct SoughtValue {
    let key: String
    let text: String
    /// The text again when it is an object or a list, in the one way that these are compared in.
    private let document: Data?

    init(key: String, text: String) {
        self.key = key
        self.text = text
        self.document = Self.document(Data(text.utf8)).flatMap(Self.canonical)
    }

    /// What occurs in each document that has the key: itself, or nothing when it can be written in several ways.
    var keyInDocuments: String {
        let isPlain = self.key.utf8.allSatisfy { $0 < 0x80 && $0 > 0x20 && !#""\/<>&'"#.utf8.contains($0) }
        return isPlain ? self.key : ""
    }

    /// Whether a name is the key's. Headers are not told apart by their case.
    func isKey(header name: String) -> Bool { name.caseInsensitiveCompare(self.key) == .orderedSame }

    /// Whether a document, which may be the value of a name, has the value under the key. One that cannot be read may have it.
    func isIn(json text: String, under name: String?) -> Bool {
        let bytes = Data(text.utf8)
        if let document = Self.document(bytes) { return self.isIn(document, under: name) }
        return (name == self.key || self.occurs(self.key, in: bytes)) && self.isSpelled(in: bytes)
    }

    /// The members of an object that are the value, or have it somewhere in them.
    func members(ofObject text: String) -> [String] {
        guard let object = Self.document(Data(text.utf8)) as? [String: Any] else { return [] }
        return object.filter { self.isIn($0.value, under: $0.key) }.map(\.key)
    }

    /// Whether the value is an argument of the query.
    func isIn(target: String) -> Bool {
        guard let mark = target.firstIndex(of: "?") else { return false }
        return self.isIn(form: target[target.index(after: mark)...])
    }

    /// Whether a body holds the value, or may hold it.
    func isIn(body: Data) -> Bool {
        if let document = Self.document(body) { return self.isIn(document, under: nil) }
        if let form = String(data: body, encoding: .utf8), self.isIn(form: form[...]) { return true }
        return self.occurs(self.key, in: body) && self.isSpelled(in: body)
    }

    // MARK: - Forms

    private static func document(_ bytes: Data) -> Any? {
        try? JSONSerialization.jsonObject(with: bytes, options: .fragmentsAllowed)
    }

    /// The same bytes for the same object or list; nil for anything else.
    private static func canonical(_ value: Any) -> Data? {
        guard value is [String: Any] || value is [Any] else { return nil }
        return try? JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
    }

    private func isIn(_ value: Any, under name: String?) -> Bool {
        if name == self.key, let document, document == Self.canonical(value) { return true }
        if let object = value as? [String: Any] {
            return object.contains { self.isIn($0.value, under: name == self.key ? name : $0.key) }
        }
        if let array = value as? [Any] { return array.contains { self.isIn($0, under: name) } }
        return name == self.key && self.reads(value)
    }

    /// Whether a scalar reads like the text. One and true are the same to the parser.
    private func reads(_ value: Any) -> Bool {
        if let string = value as? String { return string == self.text }
        guard let number = value as? NSNumber else { return value is NSNull && self.text == "null" }
        if number.stringValue == self.text { return true }
        // Not of integers, of which neighbors would be the same number.
        if self.text.contains(where: { ".eE".contains($0) }), Double(self.text) == number.doubleValue { return true }
        return self.text == "true" && number == 1 || self.text == "false" && number == 0
    }

    private func isIn(form: Substring) -> Bool {
        form.split(separator: "&").contains { field in
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first, let value = parts.dropFirst().first else { return false }
            return Self.decoded(name) == self.key && Self.decoded(value) == self.text
        }
    }

    private static func decoded(_ text: Substring) -> String? {
        text.replacing("+", with: " ").removingPercentEncoding
    }

    private func occurs(_ text: String, in bytes: Data) -> Bool { bytes.range(of: Data(text.utf8)) != nil }

    /// Whether the value occurs in text that is none of the above, in one of the ways that it may be written in.
    private func isSpelled(in bytes: Data) -> Bool {
        let encoded = self.text.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let lenient = self.text.addingPercentEncoding(withAllowedCharacters: .urlQueryAllowed)
        let literal = try? JSONEncoder().encode(self.text)
        let quoted = literal.map { String(decoding: $0.dropFirst().dropLast(), as: UTF8.self) }
        let spellings = [self.text, encoded, lenient, encoded?.replacing("%20", with: "+"), quoted]
        return spellings.contains { $0.map { self.occurs($0, in: bytes) } ?? false }
    }
}
