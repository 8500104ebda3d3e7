// The operator `->>` for views.
//
// SQLite 3.38 to 3.40 forget to mark their JSON functions as innocuous, so a view cannot use them when the schema is
// not trusted. The published views need this one. It is replaced by one that is marked and lets SQLite's own answer, on
// a connection of its own that has no data.

internal import GRDBSQLite

/// Evaluates `json ->> path`. Confined to the connection's caller, like the connection.
final class JSONArrow {
    private let database: OpaquePointer
    private let statement: OpaquePointer

    init() throws(StoreError) {
        var database: OpaquePointer?
        var statement: OpaquePointer?
        guard sqlite3_open_v2(":memory:", &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            sqlite3_prepare_v2(database, "SELECT ?1 ->> ?2", -1, &statement, nil) == SQLITE_OK,
            let database, let statement
        else {
            sqlite3_close_v2(database)
            throw StoreError(.databaseFailure, "this build of SQLite has no JSON operators: link SQLite 3.38 or newer")
        }
        self.database = database
        self.statement = statement
    }

    deinit {
        sqlite3_finalize(self.statement)
        sqlite3_close_v2(self.database)
    }

    func answer(_ call: FunctionCall) {
        defer {
            sqlite3_reset(self.statement)
            sqlite3_clear_bindings(self.statement)
        }
        for index in 0..<call.count {
            let code = sqlite3_bind_value(self.statement, Int32(index + 1), call.values[index])
            guard code == SQLITE_OK else { return call.fail(code) }
        }
        guard sqlite3_step(self.statement) == SQLITE_ROW else {
            return call.fail(String(cString: sqlite3_errmsg(self.database)))
        }
        sqlite3_result_value(call.context, sqlite3_column_value(self.statement, 0))
    }
}
