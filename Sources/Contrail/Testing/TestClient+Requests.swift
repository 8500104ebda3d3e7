// Sending requests, with a method for each method.

internal import ContrailRecorder
public import HTTPTypes

extension TestClient {
    /// Sends a request and gives the response.
    ///
    /// First pops what an earlier request preserved. Throws what leaves the dispatch, what
    /// ``App/testRequest(_:method:baseURL:subdomain:scheme:headers:body:json:fileID:line:)`` throws, and
    /// ``ContextError/Code/invalidRedirect``; nothing is preserved then (`TST-05`).
    ///
    /// - Parameters:
    ///   - path: The path, with its query if there is one, or a whole URL.
    ///   - method: The method.
    ///   - baseURL: Where the app is served, instead of what the configuration says.
    ///   - headers: Header fields.
    ///   - body: The body, in bytes.
    ///   - json: A value that is sent as JSON.
    ///   - followRedirects: Whether a redirect within the app is followed; its response comes back then.
    @discardableResult
    public func open(
        _ path: String = "/",
        method: HTTPRequest.Method = .get,
        baseURL: String? = nil,
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        let site = Site(fileID: fileID, line: line)
        var request = try self.app.testRequest(
            path,
            method: method,
            baseURL: baseURL,
            headers: headers,
            body: body,
            json: json,
            fileID: fileID,
            line: line
        )
        try self.checkPlace(site)
        try self.popPreserved(site)
        var redirect = TestRedirect(from: request, site)
        while true {
            var last: App.RequestContext?
            let context = self.context(for: request)
            let response = try self.app.dispatch(context, worker: nil, site) { last = $0 }
            self.keepCookies(of: response.headerFields, for: request)
            guard followRedirects, let next = try redirect.follow(request, response) else {
                try self.preserve(last, site)
                return response
            }
            request = next
        }
    }

    /// Sends a request, on the caller's actor, and gives the response. Everything else is as with the synchronous form.
    @discardableResult
    public nonisolated(nonsending) func open(
        _ path: String = "/",
        method: HTTPRequest.Method = .get,
        baseURL: String? = nil,
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        let site = Site(fileID: fileID, line: line)
        var request = try self.app.testRequest(
            path,
            method: method,
            baseURL: baseURL,
            headers: headers,
            body: body,
            json: json,
            fileID: fileID,
            line: line
        )
        try self.checkPlace(site)
        try await self.popPreserved(site)
        var redirect = TestRedirect(from: request, site)
        while true {
            var last: App.RequestContext?
            let context = self.context(for: request)
            let response = try await self.app.dispatch(context, worker: nil, site) { last = $0 }
            self.keepCookies(of: response.headerFields, for: request)
            guard followRedirects, let next = try redirect.follow(request, response) else {
                try self.preserve(last, site)
                return response
            }
            request = next
        }
    }

    /// Sends a GET request, as `open` does.
    @discardableResult
    public func get(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .get,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a GET request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func get(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .get,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a HEAD request, as `open` does.
    @discardableResult
    public func head(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .head,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a HEAD request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func head(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .head,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a OPTIONS request, as `open` does.
    @discardableResult
    public func options(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .options,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a OPTIONS request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func options(
        _ path: String = "/",
        headers: HTTPFields = [:],
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .options,
            headers: headers,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a DELETE request, as `open` does.
    @discardableResult
    public func delete(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .delete,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a DELETE request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func delete(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .delete,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a POST request, as `open` does.
    @discardableResult
    public func post(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .post,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a POST request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func post(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .post,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a PUT request, as `open` does.
    @discardableResult
    public func put(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .put,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a PUT request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func put(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .put,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a PATCH request, as `open` does.
    @discardableResult
    public func patch(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> App.Response {
        try self.open(
            path,
            method: .patch,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }

    /// Sends a PATCH request on the caller's actor.
    @discardableResult
    public nonisolated(nonsending) func patch(
        _ path: String = "/",
        headers: HTTPFields = [:],
        body: [UInt8]? = nil,
        json: (any Encodable & Sendable)? = nil,
        followRedirects: Bool = false,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> App.Response {
        try await self.open(
            path,
            method: .patch,
            headers: headers,
            body: body,
            json: json,
            followRedirects: followRedirects,
            fileID: fileID,
            line: line
        )
    }
}
