// The words for what the authorizer refuses.

internal import GRDBSQLite

enum QueryRefusal {
    /// The rule, in one sentence.
    static let allowed =
        "only SELECT over \(QueryPermissions.publishedViews.joined(separator: ", ")), json_each and json_tree "
        + "is allowed here"

    /// What an SQLite action is called in SQL.
    static func name(of action: Int32) -> String {
        switch action {
        case SQLITE_INSERT: "INSERT"
        case SQLITE_UPDATE: "UPDATE"
        case SQLITE_DELETE: "DELETE"
        case SQLITE_PRAGMA: "PRAGMA"
        case SQLITE_ATTACH: "ATTACH or VACUUM INTO"
        case SQLITE_DETACH: "DETACH"
        case SQLITE_TRANSACTION: "BEGIN, COMMIT or ROLLBACK"
        case SQLITE_SAVEPOINT: "SAVEPOINT"
        case SQLITE_ANALYZE: "ANALYZE"
        case SQLITE_REINDEX: "REINDEX"
        case SQLITE_ALTER_TABLE: "ALTER TABLE"
        case SQLITE_CREATE_VTABLE, SQLITE_DROP_VTABLE: "a virtual table"
        default: "changing the schema"
        }
    }
}
