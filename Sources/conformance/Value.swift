// What vectors are made of, and its text in traces.

internal import Contrail
private import Foundation

/// JSON. Its scalars are the values of the vector language, in `g`, sessions and variables.
typealias Value = SessionValue

extension SessionValue {
    /// A text, or null.
    init(_ text: String?) {
        self = text.map(Value.string) ?? .null
    }

    /// Compact JSON with sorted keys.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }
}

/// Why a line is not a program that can be run.
struct Malformed: Error {
    let why: String

    init(_ why: String) { self.why = why }
}
