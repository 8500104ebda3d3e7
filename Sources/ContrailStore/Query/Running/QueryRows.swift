// Collects the rows of a running statement within the limits.

internal import GRDBSQLite

/// The rows so far.
struct QueryRows {
    private let statement: OpaquePointer
    private let limits: QueryLimits
    private let width: Int32
    private var types: [String?]
    private(set) var rows: [[QueryValue]] = []
    private(set) var bytes = 0
    /// Which limit the last row would have passed.
    private(set) var reason: String?

    init(of statement: OpaquePointer, limits: QueryLimits) {
        self.statement = statement
        self.limits = limits
        self.width = sqlite3_column_count(statement)
        self.types = Array(repeating: nil, count: Int(self.width))
    }

    /// Takes the statement's current row. False when it does not fit; then the collection is complete.
    mutating func take() -> Bool {
        guard self.rows.count < self.limits.rows else {
            self.reason = "rows"
            return false
        }
        var size = 0
        for column in 0..<self.width { size += self.size(of: column) }
        guard self.bytes + size <= self.limits.bytes else {
            self.reason = "bytes"
            return false
        }
        var row: [QueryValue] = []
        row.reserveCapacity(Int(self.width))
        for column in 0..<self.width {
            let value = self.value(of: column)
            if self.types[Int(column)] == nil, value != .null { self.types[Int(column)] = value.typeName }
            row.append(value)
        }
        self.bytes += size
        self.rows.append(row)
        return true
    }

    func columns() -> [QueryColumn] {
        (0..<self.width).map { column in
            QueryColumn(
                name: sqlite3_column_name(self.statement, column).map { String(cString: $0) } ?? "",
                type: self.types[Int(column)] ?? self.declaredType(of: column)
            )
        }
    }

    private func size(of column: Int32) -> Int {
        switch sqlite3_column_type(self.statement, column) {
        case SQLITE_NULL: 1
        case SQLITE_INTEGER, SQLITE_FLOAT: 8
        default: Int(sqlite3_column_bytes(self.statement, column))
        }
    }

    private func value(of column: Int32) -> QueryValue {
        switch sqlite3_column_type(self.statement, column) {
        case SQLITE_INTEGER:
            return .integer(sqlite3_column_int64(self.statement, column))
        case SQLITE_FLOAT:
            return .real(sqlite3_column_double(self.statement, column))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(self.statement, column)
            let count = Int(sqlite3_column_bytes(self.statement, column))
            return .text(
                String(decoding: UnsafeBufferPointer(start: start, count: start == nil ? 0 : count), as: UTF8.self)
            )
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(self.statement, column)
            let count = Int(sqlite3_column_bytes(self.statement, column))
            return .blob([UInt8](UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)))
        default:
            return .null
        }
    }

    // By SQLite's rules of affinity.
    private func declaredType(of column: Int32) -> String {
        guard let declared = sqlite3_column_decltype(self.statement, column) else { return "null" }
        let text = asciiLowercased(declared)
        if text.contains("int") { return "integer" }
        if ["char", "clob", "text"].contains(where: text.contains) { return "text" }
        if text.contains("blob") { return "blob" }
        return ["real", "floa", "doub"].contains(where: text.contains) ? "real" : "null"
    }
}
