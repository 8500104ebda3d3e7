// One call of an SQL function: its arguments and its answer. Valid only during the call.

internal import GRDBSQLite

struct FunctionCall {
    let context: OpaquePointer
    let values: UnsafeBufferPointer<OpaquePointer?>

    var count: Int { self.values.count }

    var hasNull: Bool { self.values.contains { sqlite3_value_type($0) == SQLITE_NULL } }

    /// SQLite's own limit on a value's length.
    var mostBytes: Int {
        Int(sqlite3_limit(sqlite3_context_db_handle(self.context), SQLITE_LIMIT_LENGTH, -1))
    }

    func isNull(_ index: Int) -> Bool {
        sqlite3_value_type(self.values[index]) == SQLITE_NULL
    }

    func isBlob(_ index: Int) -> Bool {
        sqlite3_value_type(self.values[index]) == SQLITE_BLOB
    }

    /// The bytes of the argument's text. A blob is read as if it were text, as SQLite's own functions do.
    func text(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_value_text(self.values[index])
        let count = start == nil ? 0 : Int(sqlite3_value_bytes(self.values[index]))
        return UnsafeBufferPointer(start: start, count: count)
    }

    /// The bytes of a blob.
    func blob(_ index: Int) -> UnsafeBufferPointer<UInt8> {
        let start = sqlite3_value_blob(self.values[index])?.assumingMemoryBound(to: UInt8.self)
        let count = start == nil ? 0 : Int(sqlite3_value_bytes(self.values[index]))
        return UnsafeBufferPointer(start: start, count: count)
    }

    func answer(_ integer: Int) {
        sqlite3_result_int64(self.context, Int64(integer))
    }

    func answer(_ text: UnsafeBufferPointer<UInt8>) {
        text.withMemoryRebound(to: CChar.self) { characters in
            if let start = characters.baseAddress {
                sqlite3_result_text64(
                    self.context,
                    start,
                    UInt64(characters.count),
                    sqliteCopies,
                    UInt8(SQLITE_UTF8)
                )
            } else {
                sqlite3_result_text(self.context, "", 0, sqliteCopies)
            }
        }
    }

    func answerArgument(_ index: Int) {
        sqlite3_result_value(self.context, self.values[index])
    }

    func fail(_ code: Int32) {
        sqlite3_result_error_code(self.context, code)
    }

    func fail(_ message: String) {
        sqlite3_result_error(self.context, message, -1)
    }

    /// Stops the statement; the watch knows why.
    func interrupt() {
        self.fail(SQLITE_INTERRUPT)
    }
}
