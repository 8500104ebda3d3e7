// The authorizer: SQLite asks it about everything that a statement would do, while the statement is compiled.

internal import GRDBSQLite

/// The verdict on one statement at a time, and the state that it needs.
///
/// SQLite calls it again when it compiles a statement anew because the schema has changed, possibly while the statement
/// is being stepped. It must not call SQLite itself.
final class QueryAuthorizer {
    enum Mode {
        /// Everything is allowed: for the statements of this module.
        case trusting
        /// Everything is allowed and written down.
        case recording
        /// Only what the permissions allow.
        case guarding
    }

    /// One question of SQLite's, with names in lower case.
    struct Call {
        let action: Int32
        let table: String
        /// The column, or the function.
        let column: String
        let view: String?
    }

    /// How often a query may mention functions itself. Code without a loop runs unwatched, and a function in it may
    /// take a millisecond.
    static let mostFunctions = 64
    /// How often the views that a query reads may mention functions: about 200 mentions of `contexts`.
    static let mostViewFunctions = 1024

    var mode = Mode.trusting
    var permissions = QueryPermissions()
    /// The names that the query's own WITH declares.
    private var declared: Set<String> = []
    private var seenViews: Set<String> = []
    private var functions = 0
    private var viewFunctions = 0
    private var calls: [Call] = []
    /// Why the statement was refused; nil while it is not.
    private(set) var refusal: String?

    /// Forgets the last statement and expects a new one.
    func begin(declaring names: Set<String>) {
        self.declared = names
        self.seenViews.removeAll(keepingCapacity: true)
        self.functions = 0
        self.viewFunctions = 0
        self.refusal = nil
    }

    /// Makes itself the connection's authorizer. It must live as long as the connection.
    func install(on database: OpaquePointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_set_authorizer(
            database,
            { context, action, first, second, third, view in
                guard let context else { return SQLITE_DENY }
                let authorizer = Unmanaged<QueryAuthorizer>.fromOpaque(context).takeUnretainedValue()
                return authorizer.decide(action, first, second, third, view)
            },
            context
        )
    }

    /// Compiles a statement of this module and returns what SQLite asked.
    func record(_ sql: String, in database: OpaquePointer) throws(StoreError) -> [Call] {
        self.calls = []
        defer { self.calls = [] }
        try SQLiteCall.compile(sql, in: database)
        return self.calls
    }

    private func decide(
        _ action: Int32,
        _ first: UnsafePointer<CChar>?,
        _ second: UnsafePointer<CChar>?,
        _ third: UnsafePointer<CChar>?,
        _ view: UnsafePointer<CChar>?
    ) -> Int32 {
        if self.mode == .trusting { return SQLITE_OK }
        let call = Call(
            action: action,
            table: first.map(asciiLowercased) ?? "",
            column: second.map(asciiLowercased) ?? "",
            view: view.map(asciiLowercased)
        )
        if self.mode == .recording {
            self.calls.append(call)
            return SQLITE_OK
        }
        guard let reason = self.objection(to: call, in: third.map(asciiLowercased)) else { return SQLITE_OK }
        if self.refusal == nil { self.refusal = reason }
        return SQLITE_DENY
    }

    private func objection(to call: Call, in schema: String?) -> String? {
        switch call.action {
        case SQLITE_SELECT, SQLITE_RECURSIVE:
            nil
        case SQLITE_READ:
            self.objection(toReading: call, in: schema)
        case SQLITE_FUNCTION:
            self.objection(toCalling: call)
        default:
            "\(QueryRefusal.name(of: call.action)) is not: \(QueryRefusal.allowed)"
        }
    }

    private func objection(toReading call: Call, in schema: String?) -> String? {
        guard schema == nil || schema == "main" else {
            return "\(QueryRefusal.allowed); `\(schema ?? "").\(call.table)` is not among them"
        }
        if self.permissions.published.contains(call.table) {
            self.seenViews.insert(call.table)
            return nil
        }
        if QueryPermissions.tableFunctions.contains(call.table) { return nil }
        if let view = call.view {
            let access = QueryPermissions.Access(view: view, table: call.table, column: call.column)
            if self.permissions.accesses.contains(access) {
                self.seenViews.insert(view)
                return nil
            }
        }
        if call.column.isEmpty, self.mayCountRows(of: call.table, schema: schema) { return nil }
        return "\(QueryRefusal.allowed); table `\(call.table)` is private"
    }

    // Asked without a column, SQLite leaves out the view. It is either a WITH term of the query, or a table behind a
    // view that the query reads; then the most that can be learned is that table's number of rows.
    private func mayCountRows(of table: String, schema: String?) -> Bool {
        if let views = self.permissions.rowSources[table] {
            return !views.isDisjoint(with: self.seenViews)
        }
        return schema == nil && self.declared.contains(table) && !self.permissions.existingNames.contains(table)
            && !table.hasPrefix("sqlite_") && !table.hasPrefix("pragma_")
    }

    private func objection(toCalling call: Call) -> String? {
        if let view = call.view,
            self.permissions.viewFunctions.contains(.init(view: view, table: "", column: call.column))
        {
            self.viewFunctions += 1
            return self.viewFunctions <= Self.mostViewFunctions
                ? nil : "the query reads published names too often: their functions add up to over 1,024"
        }
        guard QueryFunctionList.names.contains(call.column) else {
            return "function `\(call.column)` is not allowed here"
        }
        self.functions += 1
        return self.functions <= Self.mostFunctions
            ? nil
            : "a query may mention functions \(Self.mostFunctions) times at most, LIKE and GLOB included"
    }
}
