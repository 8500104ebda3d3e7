// A query on its way through a pool.

/// One query, and where its answer goes.
struct QueryJob: Sendable {
    let sql: String
    let parameters: QueryParameters
    let limits: QueryLimits
    let cancellation: QueryCancellation
    /// Called once, on any thread.
    let finish: @Sendable (Result<QueryResult, StoreError>) -> Void
}
