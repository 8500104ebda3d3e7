// A prepared statement that is bound and stepped through SQLite's own interface: GRDB's argument binding costs twice that.

internal import GRDB
private import GRDBSQLite

/// One prepared statement of the drain's connection. Used inside that connection's writes only.
struct BulkStatement {
    private let statement: Statement
    private let handle: OpaquePointer

    init(_ database: Database, _ sql: String) throws {
        self.statement = try database.makeStatement(sql: sql)
        self.handle = self.statement.sqliteStatement
    }

    /// SQLite copies the bytes: they are gone when the call returns.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    func bind(_ value: Int64?, at index: Int32) {
        if let value { sqlite3_bind_int64(self.handle, index, value) } else { sqlite3_bind_null(self.handle, index) }
    }

    func bind(_ value: String?, at index: Int32) {
        guard var value else {
            sqlite3_bind_null(self.handle, index)
            return
        }
        _ = value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                // An empty string has no address, and a null address would bind NULL.
                $0.isEmpty
                    ? sqlite3_bind_text(self.handle, index, "", 0, Self.transient)
                    : sqlite3_bind_text(self.handle, index, $0.baseAddress, Int32($0.count), Self.transient)
            }
        }
    }

    /// Runs the statement to its end, and makes it ready for the next values. A failure is that of the database.
    func run() throws {
        let code = sqlite3_step(self.handle)
        sqlite3_reset(self.handle)
        guard code == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: String(cString: sqlite3_errmsg(sqlite3_db_handle(self.handle)))
            )
        }
    }

    /// Runs the statement and gives the first column of its first row, if there is one.
    func runReturningInteger() throws -> Int64? {
        let code = sqlite3_step(self.handle)
        defer { sqlite3_reset(self.handle) }
        switch code {
        case SQLITE_ROW: return sqlite3_column_int64(self.handle, 0)
        case SQLITE_DONE: return nil
        default:
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: String(cString: sqlite3_errmsg(sqlite3_db_handle(self.handle)))
            )
        }
    }

    /// The row id of the last insert on the connection.
    var lastInsertedID: Int64 {
        sqlite3_last_insert_rowid(sqlite3_db_handle(self.handle))
    }
}
