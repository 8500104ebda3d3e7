// One connection that answers SQL from people who are not trusted.

internal import GRDBSQLite

/// A sandboxed read-only connection to a trail.
///
/// It is confined to one caller at a time: whoever owns it calls it from one thread, then hands it on. Only the
/// cancellation that is given to a run may be used from elsewhere.
package final class QueryConnection {
    private static let mostStatements = 32

    private let database: OpaquePointer
    private let authorizer = QueryAuthorizer()
    private let watch = QueryWatch()
    private let functions: QueryFunctions
    // A statement carries the authorizer's verdict; SQLite asks again when the schema changes.
    private var statements: [String: QueryStatement] = [:]
    private var uses = 0

    /// Opens a trail. Throws `inaccessible`, `notADatabase`, `notATrail`, `locked` or `databaseFailure`.
    package init(path: String) throws(StoreError) {
        self.functions = try QueryFunctions(watch: self.watch)
        self.database = try QueryRecipe.open(path)
        try QueryRecipe.harden(self.database)
        try self.functions.install(on: self.database)
        self.authorizer.install(on: self.database)
        self.authorizer.permissions = try .load(from: self.database, recordingWith: self.authorizer)
        QueryRecipe.limit(self.database)
        self.watch.install(on: self.database)
    }

    deinit {
        self.statements.removeAll()
        sqlite3_close_v2(self.database)
    }

    /// Runs one SELECT to its end or to the limits and returns what it read.
    ///
    /// No read transaction stays open afterwards, whatever happens, and the connection may be used again after any
    /// error. Throws `queryMalformed`, `queryInvalid`, `queryDenied`, `queryTimeout`, `queryCancelled`, `queryTooBig`,
    /// `locked`, `inaccessible` or `databaseFailure`.
    package func run(
        _ sql: String,
        parameters: QueryParameters = .none,
        limits: QueryLimits = QueryLimits(),
        cancellation: QueryCancellation? = nil
    ) throws(StoreError) -> QueryResult {
        let limits = limits.clamped()
        let begin = ContinuousClock.now
        self.watch.begin(until: begin + limits.time, cancellation: cancellation)
        defer { self.watch.end() }
        do {
            return try self.runOnce(sql, parameters, limits, begin)
        } catch {
            let meaning = self.meaning(of: error, limits: limits)
            // A migration may have changed what the permissions were worked out from.
            guard self.watch.verdict == nil, try self.reloadPermissions() else { throw meaning }
        }
        do {
            return try self.runOnce(sql, parameters, limits, begin)
        } catch {
            throw self.meaning(of: error, limits: limits)
        }
    }

    private func runOnce(
        _ sql: String,
        _ parameters: QueryParameters,
        _ limits: QueryLimits,
        _ begin: ContinuousClock.Instant
    ) throws(StoreError) -> QueryResult {
        self.authorizer.begin(declaring: [])
        if self.watch.mustStop() { throw StoreError(.queryCancelled, "stopped before it began") }
        let statement = try self.takeStatement(sql)
        try parameters.bind(to: statement.handle)
        var rows = QueryRows(of: statement.handle, limits: limits)
        try self.step(statement.handle, into: &rows)
        let columns = rows.columns()
        sqlite3_reset(statement.handle)
        sqlite3_clear_bindings(statement.handle)
        self.keep(statement, for: sql)
        return QueryResult(
            columns: columns,
            rows: rows.rows,
            reason: rows.reason,
            milliseconds: (ContinuousClock.now - begin) / .milliseconds(1),
            bytes: rows.bytes
        )
    }

    private func step(_ statement: OpaquePointer, into rows: inout QueryRows) throws(StoreError) {
        while true {
            let code = sqlite3_step(statement)
            if code == SQLITE_DONE { return }
            guard code == SQLITE_ROW else { throw QueryFailure.error(code, in: self.database) }
            self.authorizer.begin(declaring: [])
            if self.watch.mustStop() { throw StoreError(.queryCancelled, "stopped between two rows") }
            guard rows.take() else { return }
        }
    }

    // Out of the cache, so that a statement that fails is not kept: leaving scope, it is finalized.
    private func takeStatement(_ sql: String) throws(StoreError) -> QueryStatement {
        if let statement = self.statements.removeValue(forKey: sql) {
            self.authorizer.begin(declaring: statement.declared)
            return statement
        }
        let statement = try QueryStatement.compile(sql, in: self.database, authorizer: self.authorizer)
        guard try self.reloadPermissions() else { return statement }
        return try QueryStatement.compile(sql, in: self.database, authorizer: self.authorizer)
    }

    private func keep(_ statement: QueryStatement, for sql: String) {
        self.uses += 1
        statement.lastUse = self.uses
        if self.statements.count >= Self.mostStatements,
            let oldest = self.statements.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.statements[oldest.key] = nil
        }
        self.statements[sql] = statement
    }

    // Works the permissions out again if the schema is another one. True if it was.
    private func reloadPermissions() throws(StoreError) -> Bool {
        self.authorizer.mode = .trusting
        self.watch.isPaused = true
        defer {
            self.authorizer.mode = .guarding
            self.watch.isPaused = false
        }
        let version = try QueryPermissions.schemaVersion(of: self.database)
        guard version != self.authorizer.permissions.schemaVersion else { return false }
        self.statements.removeAll()
        self.authorizer.permissions = try .load(from: self.database, recordingWith: self.authorizer)
        return true
    }

    private func meaning(of error: StoreError, limits: QueryLimits) -> StoreError {
        if let verdict = self.watch.verdict { return QueryFailure.error(verdict, limits: limits) }
        if let refusal = self.authorizer.refusal { return StoreError(.queryDenied, refusal) }
        return error
    }
}
