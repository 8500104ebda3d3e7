// What SQLite's result codes mean when a query got them.

internal import GRDBSQLite

enum QueryFailure {
    /// The error for a result code, without knowledge of the authorizer and the watch.
    static func error(_ code: Int32, in database: OpaquePointer) -> StoreError {
        let text = String(cString: sqlite3_errmsg(database))
        switch code & 0xff {
        case SQLITE_ERROR, SQLITE_RANGE, SQLITE_MISMATCH, SQLITE_SCHEMA:
            // SQLite refuses to change a view by itself, before it asks the authorizer.
            if text.hasPrefix("cannot modify ") { return StoreError(.queryDenied, "\(text): \(QueryRefusal.allowed)") }
            return StoreError(.queryInvalid, text)
        case SQLITE_AUTH:
            return StoreError(.queryDenied, text)
        case SQLITE_INTERRUPT:
            return StoreError(.queryCancelled, "the query was interrupted")
        case SQLITE_TOOBIG:
            return StoreError(.queryTooBig, "\(text): a value may have 128 KiB at most")
        case SQLITE_NOMEM:
            return StoreError(.queryTooBig, "the query needs too much memory or compiles to too large a program")
        default:
            return SQLiteCall.failure(of: database, doing: "a query")
        }
    }

    /// The error for what stopped a query.
    static func error(_ verdict: QueryWatch.Verdict, limits: QueryLimits) -> StoreError {
        switch verdict {
        case .timeout:
            StoreError(.queryTimeout, "the query ran longer than \(limits.time): narrow it, or raise its time limit")
        case .cancelled:
            StoreError(.queryCancelled, "the query was cancelled by its caller")
        case .interrupted:
            StoreError(
                .queryTimeout,
                "the query kept the trail's log from being emptied for too long: ask for less at once"
            )
        case .memory:
            StoreError(.queryTooBig, "the query needed more than 64 MiB of memory: sort or group fewer rows")
        }
    }
}
