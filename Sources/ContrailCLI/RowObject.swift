// A row as one line of JSON.

internal import ContrailStore
private import Foundation

/// A row as a JSON object, its members in the order of the columns.
struct RowObject {
    /// The object.
    let text: String

    init(columns: [QueryColumn], row: [QueryValue]) {
        let members = zip(columns, row).map { "\(Self.json($0.name)):\(Self.json($1))" }
        self.text = "{\(members.joined(separator: ","))}"
    }

    private static func json(_ value: QueryValue) -> String {
        switch value {
        case .null: "null"
        case .integer(let integer): String(integer)
        case .real(let real): real.isFinite ? String(real) : "null"
        case .text(let text): self.json(text)
        case .blob(let bytes): #"{"base64":"\#(Data(bytes).base64EncodedString())"}"#
        }
    }

    private static func json(_ text: String) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(text)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
