// json_quote, which the published views call: SQLite 3.40 does not let a view call its own where the schema is not trusted.

internal import GRDBSQLite

/// Writes an SQL value as JSON, as SQLite's own function does, subtypes included.
enum JSONQuote {
    /// What SQLite marks JSON with that it made itself: such a value is not quoted again.
    private static let subtype = UInt32(UInt8(ascii: "J"))

    static func answer(_ call: FunctionCall) {
        switch sqlite3_value_type(call.values[0]) {
        case SQLITE_NULL: self.write(Array("null".utf8), call)
        case SQLITE_BLOB: call.fail("JSON cannot hold BLOB values")
        case SQLITE_TEXT where sqlite3_value_subtype(call.values[0]) != self.subtype:
            self.write(self.quoted(call.text(0)), call)
        default: self.write(Array(call.text(0)), call)
        }
    }

    private static func write(_ bytes: [UInt8], _ call: FunctionCall) {
        guard bytes.count <= call.mostBytes else { return call.fail(SQLITE_TOOBIG) }
        bytes.withUnsafeBufferPointer(call.answer)
        sqlite3_result_subtype(call.context, self.subtype)
    }

    private static func quoted(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(text.count + 2)
        output.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output += [UInt8(ascii: "\\"), byte]
            case 0x00..<0x20: output += self.escape(of: byte)
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
        return output
    }

    private static func escape(of control: UInt8) -> [UInt8] {
        switch control {
        case 0x08: Array(#"\b"#.utf8)
        case 0x09: Array(#"\t"#.utf8)
        case 0x0A: Array(#"\n"#.utf8)
        case 0x0C: Array(#"\f"#.utf8)
        case 0x0D: Array(#"\r"#.utf8)
        default: Array((control < 16 ? #"\u000"# : #"\u00"#).utf8) + Array(String(control, radix: 16).utf8)
        }
    }
}
