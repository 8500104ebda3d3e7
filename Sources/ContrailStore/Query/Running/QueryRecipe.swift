// Opens a connection that strangers may send SQL to. Every step is there because some input needs it; order matters.

internal import CSQLiteSandbox
internal import GRDBSQLite

enum QueryRecipe {
    static let mostPatternBytes = 256
    static let mostSQLBytes = 65_536
    static let busyMilliseconds: Int32 = 100

    // The largest cell that a trail stores is 96 KiB.
    private static let limits: [(Int32, Int32)] = [
        (SQLITE_LIMIT_LENGTH, 131_072), (SQLITE_LIMIT_SQL_LENGTH, Int32(mostSQLBytes)), (SQLITE_LIMIT_COLUMN, 100),
        (SQLITE_LIMIT_EXPR_DEPTH, 100), (SQLITE_LIMIT_COMPOUND_SELECT, 20), (SQLITE_LIMIT_VDBE_OP, 25_000),
        (SQLITE_LIMIT_FUNCTION_ARG, 16), (SQLITE_LIMIT_ATTACHED, 0),
        (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, Int32(mostPatternBytes)), (SQLITE_LIMIT_VARIABLE_NUMBER, 128),
        (SQLITE_LIMIT_TRIGGER_DEPTH, 1), (SQLITE_LIMIT_WORKER_THREADS, 0),
    ]

    private static let switches: [(Int32, Int32)] = [
        (SQLITE_DBCONFIG_DEFENSIVE, 1), (SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
        (SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0), (SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0),
        (SQLITE_DBCONFIG_ENABLE_TRIGGER, 0), (SQLITE_DBCONFIG_DQS_DML, 0), (SQLITE_DBCONFIG_DQS_DDL, 0),
    ]

    private static let pragmas = [
        "PRAGMA query_only = 1", "PRAGMA temp_store = MEMORY", "PRAGMA mmap_size = 0", "PRAGMA cell_size_check = 1",
    ]

    /// Opens a file for reading. Flags, never a URI: a URI could ask for more.
    static func open(_ path: String) throws(StoreError) -> OpaquePointer {
        guard sqlite3_threadsafe() != 0, sqlite3_compileoption_used("OMIT_AUTHORIZATION") == 0,
            sqlite3_compileoption_used("OMIT_PROGRESS_CALLBACK") == 0
        else {
            throw StoreError(
                .databaseFailure,
                "this build of SQLite has no threads, authorizer or progress handler, which queries depend on: "
                    + "link another build"
            )
        }
        var database: OpaquePointer?
        let code = sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let database else {
            sqlite3_close_v2(database)
            throw StoreError(
                .inaccessible,
                "\(path) cannot be opened for reading (\(String(cString: sqlite3_errstr(code)))): check the path and "
                    + "its permissions"
            )
        }
        return database
    }

    /// The steps before the authorizer, which would refuse them.
    static func harden(_ database: OpaquePointer) throws(StoreError) {
        for (option, value) in self.switches {
            guard contrail_sqlite_db_config(database, option, value) == SQLITE_OK else {
                throw SQLiteCall.failure(of: database, doing: "database configuration \(option)")
            }
        }
        sqlite3_extended_result_codes(database, 1)
        sqlite3_busy_timeout(database, self.busyMilliseconds)
        for pragma in self.pragmas { try SQLiteCall.rows(pragma, in: database) }
        // Reading the schema shows whether the file is a database. The constructors of virtual tables write to the
        // schema inside SQLite, which the authorizer would refuse later.
        try SQLiteCall.rows("SELECT count(*) FROM sqlite_schema", in: database)
        try SQLiteCall.rows("SELECT 1 FROM json_each('[]'), json_tree('[]')", in: database)
    }

    /// The step after this module's own statements are done: they may be larger than a query's.
    static func limit(_ database: OpaquePointer) {
        for (limit, value) in self.limits { sqlite3_limit(database, limit, value) }
    }
}
