// Rows as a table for a terminal.

internal import ContrailStore

/// A table with a header, in columns as wide as their widest cell.
struct TextTable {
    /// The table, without a line break at its end.
    let text: String

    private static let widestCell = 60

    init(_ result: QueryResult) {
        let header = result.columns.map(\.name)
        let rows = result.rows.map { $0.map(Self.cell) }
        let widths = header.indices.map { column in
            ([header] + rows).map { $0[column].count }.max() ?? 0
        }
        let isNumber = header.indices.map { ["integer", "real"].contains(result.columns[$0].type) }
        let lines = [header, widths.map { String(repeating: "-", count: $0) }] + rows
        self.text =
            lines
            .map { line in
                zip(line, zip(widths, isNumber)).map { Self.pad($0, to: $1.0, alignsRight: $1.1) }
                    .joined(separator: "  ")
                    .trimmingTrailingBlanks
            }
            .joined(separator: "\n")
    }

    /// A value on one line: control characters would move the cursor, and a trail holds what clients sent.
    private static func cell(_ value: QueryValue) -> String {
        let text =
            switch value {
            case .null: ""
            case .integer(let integer): String(integer)
            case .real(let real): String(real)
            case .text(let text): String(text.map { $0.isNewline || $0.isControl ? " " : $0 })
            case .blob(let bytes): "<\(bytes.count) bytes>"
            }
        return text.count > self.widestCell ? text.prefix(self.widestCell - 1) + "…" : text
    }

    private static func pad(_ text: String, to width: Int, alignsRight: Bool) -> String {
        let blanks = String(repeating: " ", count: max(0, width - text.count))
        return alignsRight ? blanks + text : text + blanks
    }
}

extension Character {
    fileprivate var isControl: Bool {
        self.unicodeScalars.contains { $0.properties.generalCategory == .control }
    }
}

extension String {
    fileprivate var trimmingTrailingBlanks: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
