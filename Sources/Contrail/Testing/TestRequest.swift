// Requests that tests make up.

internal import ContrailRecorder
public import HTTPTypes

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// A request that a test made up, with what the app's configuration and the test say about where it goes.
public struct TestRequest: Sendable {
    /// The request's head. Its path is the one that the app's routes see, without the root under which the app is mounted.
    public let head: HTTPRequest
    /// The request's body, in bytes.
    public let body: [UInt8]
    /// Under which URL the app is served: scheme, host and root.
    public let baseURL: String

    /// The path under which the app is mounted: empty, or with a slash in front and none behind.
    let root: String

    /// The whole URL.
    public var url: String { self.baseURL + (self.head.path ?? "/").dropFirst() }

    init(scheme: String, authority: String, root: String, target: String, from original: HTTPRequest, body: [UInt8]) {
        self.head = HTTPRequest(
            method: original.method,
            scheme: scheme,
            authority: authority,
            path: target,
            headerFields: original.headerFields
        )
        self.body = body
        self.root = root
        self.baseURL = "\(scheme)://\(authority)\(root)/"
    }
}

extension App {
    /// Makes up a request to the app.
    ///
    /// The base URL is `SCHEME://[SUBDOMAIN.]SERVER/ROOT` of the app's ``config``, the server `localhost` when that names none.
    /// A whole URL as the path overrides scheme and server, not the root. What is not visible ASCII is percent-encoded
    /// (`TST-09`). Throws ``ContextError/Code/invalidRequest`` for a base URL together with a subdomain, a scheme or a whole
    /// URL, for a body together with JSON, and for what cannot be read (`TST-10`).
    ///
    /// - Parameters:
    ///   - path: The path, with its query if there is one, or a whole URL.
    ///   - method: The method.
    ///   - baseURL: Where the app is served, instead of what the configuration says.
    ///   - subdomain: A name to put in front of the server's.
    ///   - scheme: The scheme, instead of the configured one.
    ///   - headers: Header fields.
    ///   - body: The body, in bytes.
    ///   - json: A value that is sent as JSON, with the content type that goes with it.
    public func testRequest(
        _ path: String = "/",
        method: HTTPRequest.Method = .get,
        baseURL: String? = nil,
        subdomain: String? = nil,
        scheme: String? = nil,
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> TestRequest {
        let site = Site(fileID: fileID, line: line)
        let url = URLText(path)
        let base: (scheme: String, authority: String, root: String)
        if let baseURL {
            base = try Self.base(baseURL, besides: [subdomain, scheme, url.authority], site)
        } else {
            let config = self.config
            let server = config.serverName ?? "localhost"
            let name = subdomain.map { $0.isEmpty ? server : "\($0).\(server)" } ?? server
            base = (url.scheme ?? scheme ?? config.preferredScheme, url.authority ?? name, config.applicationRoot)
        }
        var head = HTTPRequest(method: method, scheme: nil, authority: nil, path: nil, headerFields: headers)
        let bytes = try Self.body(body, json, site)
        if json != nil, head.headerFields[.contentType] == nil {
            head.headerFields[.contentType] = "application/json"
        }
        if let bytes, head.headerFields[.contentLength] == nil {
            head.headerFields[.contentLength] = "\(bytes.count)"
        }
        return TestRequest(
            scheme: base.scheme,
            authority: base.authority,
            root: Self.root(base.root),
            target: URLText.target(path: url.path, query: url.query),
            from: head,
            body: bytes ?? []
        )
    }

    /// Makes up a request to the app and a context for it, which is not pushed yet. The parameters and errors are those of
    /// ``testRequest(_:method:baseURL:subdomain:scheme:headers:body:json:fileID:line:)``.
    public func testRequestContext(
        _ path: String = "/",
        method: HTTPRequest.Method = .get,
        baseURL: String? = nil,
        subdomain: String? = nil,
        scheme: String? = nil,
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> RequestContext {
        let request = try self.testRequest(
            path,
            method: method,
            baseURL: baseURL,
            subdomain: subdomain,
            scheme: scheme,
            headers: headers,
            body: body,
            json: json,
            fileID: fileID,
            line: line
        )
        return self.testContext(request.head, request.body)
    }

    func testContext(_ head: HTTPRequest, _ body: [UInt8]) -> RequestContext {
        RequestContext(self, head, body: body, endpoint: nil, requestID: nil, origin: .test)
    }

    private static func base(
        _ text: String,
        besides others: [String?],
        _ site: Site
    ) throws(ContextError) -> (scheme: String, authority: String, root: String) {
        guard others.allSatisfy({ $0 == nil }) else {
            throw ContextError(
                .invalidRequest,
                "a base URL already has a scheme and a host: leave subdomain and scheme out, and give a path that is no URL",
                site: site
            )
        }
        let url = URLText(text)
        guard let scheme = url.scheme, let authority = url.authority, !authority.isEmpty, url.query == nil else {
            throw ContextError(
                .invalidRequest,
                "\(text.debugDescription) is no base URL: write scheme, host and root, such as http://localhost/api",
                site: site
            )
        }
        return (scheme, authority, url.path)
    }

    private static func body(
        _ body: [UInt8]?,
        _ json: (any Encodable)?,
        _ site: Site
    ) throws(ContextError) -> [UInt8]? {
        guard let json else { return body }
        guard body == nil else {
            throw ContextError(.invalidRequest, "a request has one body: give body or json, not both", site: site)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(json))
        } catch {
            throw ContextError(.invalidRequest, "the body cannot be written as JSON: \(error)", site: site)
        }
    }

    private static func root(_ text: String) -> String {
        let inside = text.split(separator: "/", omittingEmptySubsequences: true).joined(separator: "/")
        return inside.isEmpty ? "" : "/" + inside
    }
}
