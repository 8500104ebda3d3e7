// One compiled query, and the rules that a text must meet to become one.

internal import GRDBSQLite

/// A compiled statement that is known to be one plain SELECT. It finalizes itself.
final class QueryStatement {
    let handle: OpaquePointer
    /// The names that its WITH declares; the authorizer needs them when SQLite compiles it again.
    let declared: Set<String>
    /// When it was used last, counted in uses.
    var lastUse = 0

    private init(handle: OpaquePointer, declared: Set<String>) {
        self.handle = handle
        self.declared = declared
    }

    deinit {
        sqlite3_finalize(self.handle)
    }

    /// Compiles a text. The caller must tell errors of SQLite's apart with the authorizer's refusal.
    static func compile(
        _ sql: String,
        in database: OpaquePointer,
        authorizer: QueryAuthorizer
    ) throws(StoreError) -> QueryStatement {
        let bytes = Array(sql.utf8)
        guard bytes.count < QueryRecipe.mostSQLBytes else {
            throw StoreError(.queryMalformed, "the query is longer than 64 KiB: shorten it, or use parameters")
        }
        guard !bytes.contains(0) else {
            throw StoreError(.queryMalformed, "the query has a NUL byte: remove it")
        }
        let tokens = Array(QueryTokens(bytes))
        let shape = QueryShape(tokens)
        try shape.check(reserved: authorizer.permissions.reservedNames)
        authorizer.begin(declaring: Set(shape.declared.keys))
        let (handle, used) = try self.prepare(bytes, in: database)
        let statement = QueryStatement(handle: handle, declared: Set(shape.declared.keys))
        guard QueryTokens(Array(bytes[used...])).allSatisfy({ $0.isMark(";") }) else {
            throw StoreError(.queryMalformed, "there is more than one statement: send them one by one")
        }
        try statement.checkKind()
        return statement
    }

    private static func prepare(_ bytes: [UInt8], in database: OpaquePointer) throws(StoreError) -> (OpaquePointer, Int)
    {
        var statement: OpaquePointer?
        var used = 0
        let code = bytes.withUnsafeBytes { buffer in
            let start = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            var tail: UnsafePointer<CChar>?
            defer { if let tail, let start { used = tail - start } }
            return sqlite3_prepare_v3(database, start, Int32(bytes.count), 0, &statement, &tail)
        }
        guard code == SQLITE_OK else { throw QueryFailure.error(code, in: database) }
        guard let statement else {
            throw StoreError(.queryMalformed, "the query is empty: send a SELECT")
        }
        return (statement, used)
    }

    // SQLite calls BEGIN, ATTACH and many a PRAGMA read-only, so that alone says little.
    private func checkKind() throws(StoreError) {
        guard sqlite3_stmt_readonly(self.handle) != 0, sqlite3_column_count(self.handle) > 0,
            sqlite3_stmt_isexplain(self.handle) != 1
        else {
            throw StoreError(.queryDenied, "\(QueryRefusal.allowed), and EXPLAIN QUERY PLAN of it")
        }
    }
}
