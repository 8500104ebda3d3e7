// Plain calls of SQLite for this module's own statements, and what its result codes mean to a caller.

internal import GRDBSQLite

enum SQLiteCall {
    /// Runs a statement and hands over each row.
    static func rows(
        _ sql: String,
        in database: OpaquePointer,
        each: (OpaquePointer) -> Void = { _ in }
    ) throws(StoreError) {
        let statement = try prepare(sql, in: database)
        defer { sqlite3_finalize(statement) }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: each(statement)
            case SQLITE_DONE: return
            default: throw failure(of: database, doing: sql)
            }
        }
    }

    /// Compiles a statement and throws it away.
    static func compile(_ sql: String, in database: OpaquePointer) throws(StoreError) {
        sqlite3_finalize(try prepare(sql, in: database))
    }

    private static func prepare(_ sql: String, in database: OpaquePointer) throws(StoreError) -> OpaquePointer {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(database, sql, -1, &statement, nil) == SQLITE_OK, let statement else {
            throw failure(of: database, doing: sql)
        }
        return statement
    }

    /// The error for the connection's last failure, when it is not the fault of a query.
    static func failure(of database: OpaquePointer, doing what: String) -> StoreError {
        let code = sqlite3_extended_errcode(database)
        let text = String(cString: sqlite3_errmsg(database))
        switch code & 0xff {
        case SQLITE_NOTADB:
            return StoreError(.notADatabase, "the file is not an SQLite database: check the path")
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH, SQLITE_READONLY:
            return StoreError(
                .inaccessible,
                "the database cannot be opened for reading (\(text)): check the path, and that this process may read "
                    + "the file and its -wal and -shm files"
            )
        case SQLITE_BUSY, SQLITE_LOCKED:
            return StoreError(.locked, "another process holds the database locked (\(text)): try again")
        default:
            return StoreError(.databaseFailure, "SQLite failed with code \(code) (\(text)) at: \(what)")
        }
    }
}
