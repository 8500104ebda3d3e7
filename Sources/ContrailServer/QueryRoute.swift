// GET|POST v1/query: any SELECT over the published names.

internal import ContrailStore
internal import Hummingbird
private import NIOPosix

/// Answers ad-hoc SQL.
struct QueryRoute: Sendable {
    /// How many bytes a POST may have.
    static let mostBodyBytes = 128 * 1024

    let pool: QueryPool

    func respond(to request: Request) async throws -> Response {
        let query = try await QueryRequest(request)
        do {
            let result = try await self.pool.run(query.sql, parameters: query.parameters, limits: query.limits)
            let cancellation = QueryCancellation()
            guard result.bytes > Self.mostBytesInPlace else { return try Self.response(result, cancellation) }
            // Writing megabytes takes a while, and the threads that tasks run on are the service's.
            return try await withTaskCancellationHandler {
                try await NIOThreadPool.singleton.runIfActive { try Self.response(result, cancellation) }
            } onCancel: {
                cancellation.cancel()
            }
        } catch let error as StoreError {
            throw Problem(error)
        }
    }

    /// Answers up to this many bytes of values are written where they are.
    private static let mostBytesInPlace = 64 * 1024

    /// Rows as arrays. `next` is null: the whole answer is here, or `truncated` says that it is not.
    private static func response(_ result: QueryResult, _ cancellation: QueryCancellation) throws -> Response {
        var json = JSONWriter()
        json.beginObject()
        json.member("ok", true)
        json.name("columns")
        json.beginArray()
        for column in result.columns {
            json.beginObject()
            json.member("name", column.name)
            json.member("type", column.type)
            json.endObject()
        }
        json.endArray()
        json.name("rows")
        json.beginArray()
        for row in result.rows {
            if cancellation.isCancelled {
                throw Problem(.serviceUnavailable, "query_cancelled", "the service is stopping")
            }
            json.beginArray()
            for value in row { json.value(value) }
            json.endArray()
        }
        json.endArray()
        json.member("truncated", result.truncated)
        json.member("reason", result.reason)
        json.member("next", nil)
        json.name("stats")
        json.beginObject()
        json.member("ms", result.milliseconds)
        json.member("rows", result.rows.count)
        json.member("bytes", result.bytes)
        if json.hasNonFinite { json.member("nonfinite_as_null", true) }
        json.endObject()
        json.endObject()
        return json.response()
    }
}
