// What a client asks of v1/query, from the URL or from a JSON body.

internal import ContrailStore
private import Foundation
private import HTTPTypes
internal import Hummingbird

/// One query: its text, its parameters and its limits.
///
/// `GET` takes them as `sql`, `params` (a JSON array or object), `limit` (rows) and `timeout_ms`; `POST` takes a JSON object
/// with the same members. Limits beyond what is allowed are pulled into range.
struct QueryRequest {
    let sql: String
    let parameters: QueryParameters
    let limits: QueryLimits

    init(_ request: Request) async throws {
        let body = request.method == .post ? try await Self.body(of: request) : try Self.urlQuery(of: request)
        guard let sql = body.sql, !sql.isEmpty else {
            throw Problem(.badRequest, "query_malformed", "the query is missing: send it as \"sql\"")
        }
        self.sql = sql
        self.parameters = body.params?.queryParameters ?? .none
        var limits = QueryLimits()
        if let rows = body.limit { limits.rows = rows }
        if let time = body.timeout_ms { limits.time = .milliseconds(min(max(time, 1), 3_600_000)) }
        self.limits = limits.clamped()
    }

    private struct Body: Decodable {
        var sql: String?
        var params: JSONParameters?
        var limit: Int?
        // swift-format-ignore: AlwaysUseLowerCamelCase
        var timeout_ms: Int?
    }

    private static func body(of request: Request) async throws -> Body {
        guard let type = request.headers[.contentType], type.lowercased().hasPrefix("application/json") else {
            throw Problem(.unsupportedMediaType, "json_expected", "send a JSON object as application/json")
        }
        let buffer = try await request.body.collect(upTo: QueryRoute.mostBodyBytes)
        return try Self.decode(Body.self, from: Data(buffer.readableBytesView))
    }

    private static func urlQuery(of request: Request) throws -> Body {
        let query = try self.form(request.uri.query ?? "")
        return Body(
            sql: query["sql"],
            params: try query["params"].map { try Self.decode(JSONParameters.self, from: Data($0.utf8)) },
            limit: try Self.integer("limit", query["limit"]),
            timeout_ms: try Self.integer("timeout_ms", query["timeout_ms"])
        )
    }

    /// The fields of a URL's query as forms and `curl -G` encode them: a plus is a blank, as is `%20`.
    private static func form(_ query: String) throws(Problem) -> [String: String] {
        var fields: [String: String] = [:]
        for pair in query.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let decoded = parts.map { $0.replacing("+", with: " ").removingPercentEncoding }
            guard let name = decoded[0], let value = decoded.count == 2 ? decoded[1] : "" else {
                throw Problem(.badRequest, "query_malformed", "the URL is not UTF-8 behind its percent signs")
            }
            guard fields.updateValue(value, forKey: name) == nil else {
                throw Problem(.badRequest, "query_malformed", "\(name) is given twice: give it once")
            }
        }
        return fields
    }

    private static func integer(_ name: String, _ text: String?) throws(Problem) -> Int? {
        guard let text else { return nil }
        guard let value = Int(text) else {
            throw Problem(.badRequest, "query_malformed", "\(name) must be an integer")
        }
        return value
    }

    private static func decode<Value: Decodable>(_ type: Value.Type, from data: Data) throws(Problem) -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch {
            throw Problem(
                .badRequest,
                "query_malformed",
                "not the JSON that is expected: an object with \"sql\", and optionally \"params\", \"limit\", \"timeout_ms\""
            )
        }
    }
}
