// A client of the postmortem service.

private import Foundation
private import NIOCore
package import NIOHTTP1

/// Asks the postmortem service of a process that runs.
package struct PostmortemClient: Sendable {
    private let port: Int
    private let prefix: String

    /// - Parameters:
    ///   - prefix: Where the service is mounted: `/_contrail`.
    package init(port: Int, prefix: String = "") {
        self.port = port
        self.prefix = prefix
    }

    /// Sends one request on a connection of its own.
    package func send(
        _ method: HTTPMethod,
        _ path: String,
        headers: HTTPHeaders = [:],
        body: String? = nil
    ) async throws -> HTTPAnswer {
        try await HTTPConnection.open(port: self.port) { connection in
            try await connection.send(method, self.prefix + path, headers: headers, body: body)
        }
    }

    /// Asks with GET; the members become the query of the URL.
    package func get(_ path: String, _ members: KeyValuePairs<String, String> = [:]) async throws -> HTTPAnswer {
        let pairs = members.map { "\($0)=\(Self.escaped($1))" }
        return try await self.send(.GET, pairs.isEmpty ? path : "\(path)?\(pairs.joined(separator: "&"))")
    }

    /// The rows of a query as the `sqlite3` shell would print them. Every row must be there.
    package func lines(_ sql: String) async throws -> [String] {
        let answer = try await self.get("/v1/query", ["sql": sql, "limit": "10000", "timeout_ms": "10000"])
        let json = try answer.json
        guard answer.status == 200, json["ok"] == true, json["truncated"] == false else {
            throw TestSupportError("\(answer.status) for \(sql): \(String(buffer: answer.body))")
        }
        return json["rows"].elements.map { $0.elements.map(\.cell).joined(separator: "|") }
    }

    /// The figures of the recorder: produced, stored, dropped, buffered.
    package func recorder() async throws -> JSONValue {
        try await self.get("/healthz").json["recorder"]
    }

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }
}
