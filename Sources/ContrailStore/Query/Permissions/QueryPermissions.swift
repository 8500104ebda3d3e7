// What queries may read, worked out from the trail's own published views when a connection is opened.

internal import GRDBSQLite

/// The published views, and everything that they read.
///
/// A published view may be read by anyone. The tables behind it may be read only by way of it, and only the columns
/// that it reads itself: the authorizer is told the view that a column is reached through, and the three together,
/// view, table and column, must be on the list.
struct QueryPermissions {
    /// The stable names; the contract with those who write queries.
    static let publishedViews = ["runs", "contexts", "events", "teardowns", "g_snapshots", "recycles", "problems"]
    /// Published names that a trail of an earlier version lacks.
    static let laterViews = ["g_versions"]
    /// The table-valued functions that a query may read from.
    static let tableFunctions: Set<String> = ["json_each", "json_tree"]

    struct Access: Hashable {
        /// The view, in lower case. Empty for what is read without one.
        let view: String
        let table: String
        /// Empty when a table is read without any of its columns, as `count(*)` does.
        let column: String
    }

    /// The columns that may be read through views.
    private(set) var accesses: Set<Access> = []
    /// The functions that views call, whether or not a query may call them itself.
    private(set) var viewFunctions: Set<Access> = []
    /// Tables that turn up without view and column when nothing but a view's rows are wanted: view by table.
    private(set) var rowSources: [String: Set<String>] = [:]
    /// The published names that the trail has.
    private(set) var published: Set<String> = []
    /// All names of the schema and of virtual-table modules, in lower case.
    private(set) var existingNames: Set<String> = []
    /// The schema that all this was worked out from.
    private(set) var schemaVersion: Int64 = 0

    /// The names that WITH must not declare.
    private(set) var reservedNames: Set<String> = []

    /// Works out the permissions of the connection's database. The authorizer must be the connection's.
    static func load(
        from database: OpaquePointer,
        recordingWith authorizer: QueryAuthorizer
    ) throws(StoreError) -> QueryPermissions {
        authorizer.mode = .recording
        defer { authorizer.mode = .guarding }
        var permissions = QueryPermissions()
        permissions.schemaVersion = try schemaVersion(of: database)
        let views = Set(try names("SELECT name FROM sqlite_schema WHERE type = 'view'", in: database))
        let missing = Self.publishedViews.filter { !views.contains($0) }
        guard missing.isEmpty else {
            throw StoreError(
                .notATrail,
                "the database has no view named \(missing.joined(separator: ", ")): it is not a trail, or it is still "
                    + "being created; check the path"
            )
        }
        permissions.existingNames = Set(try names("SELECT name FROM sqlite_schema", in: database))
            .union(try names("SELECT name FROM pragma_module_list", in: database))
        permissions.published = Set(Self.publishedViews + Self.laterViews.filter { views.contains($0) })
        for view in permissions.published.sorted() {
            for list in ["*", "1", "count(*)"] {
                permissions.add(try authorizer.record("SELECT \(list) FROM main.\"\(view)\"", in: database), of: view)
            }
        }
        permissions.reservedNames = Set(permissions.accesses.map(\.view)).union(permissions.published)
        return permissions
    }

    private mutating func add(_ calls: [QueryAuthorizer.Call], of view: String) {
        for call in calls {
            switch (call.action, call.view) {
            case (SQLITE_READ, nil) where call.column.isEmpty:
                self.rowSources[call.table, default: []].insert(view)
                self.accesses.insert(Access(view: view, table: call.table, column: ""))
            case (SQLITE_READ, let through?):
                self.accesses.insert(Access(view: through, table: call.table, column: call.column))
            case (SQLITE_FUNCTION, let through?):
                self.viewFunctions.insert(Access(view: through, table: "", column: call.column))
            default:
                break
            }
        }
    }

    static func schemaVersion(of database: OpaquePointer) throws(StoreError) -> Int64 {
        var version: Int64 = 0
        try SQLiteCall.rows("PRAGMA main.schema_version", in: database) { version = sqlite3_column_int64($0, 0) }
        return version
    }

    private static func names(_ sql: String, in database: OpaquePointer) throws(StoreError) -> [String] {
        var names: [String] = []
        try SQLiteCall.rows(sql, in: database) { statement in
            if let name = sqlite3_column_text(statement, 0) {
                names.append(String(decoding: String(cString: name).utf8.map(asciiLowercased), as: UTF8.self))
            }
        }
        return names
    }
}
