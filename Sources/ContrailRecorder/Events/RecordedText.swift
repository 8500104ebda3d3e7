// A text of an event, and where it came from.

/// A text that an event carries: a name, a place in the source.
package struct RecordedText: Sendable, Hashable, CustomStringConvertible, ExpressibleByStringLiteral {
    /// The text.
    package let text: String
    /// Its number in the dictionary of the run's ring: the same number is the same text. 0 when it is not in there.
    package let entry: UInt16

    /// Makes a text. An entry is given by whoever read the dictionary.
    package init(_ text: String, entry: UInt16 = 0) {
        self.text = text
        self.entry = entry
    }

    /// Makes a text without an entry.
    package init(stringLiteral value: String) { self.init(value) }

    /// The text.
    package var description: String { self.text }

    /// Compares the texts.
    package static func == (left: RecordedText, right: RecordedText) -> Bool { left.text == right.text }

    /// Hashes the text.
    package func hash(into hasher: inout Hasher) { hasher.combine(self.text) }
}
