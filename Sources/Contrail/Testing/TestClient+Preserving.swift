// Contexts that stay current after their request, and the session between requests.

internal import ContrailRecorder
public import HTTPTypes

extension TestClient {
    /// Runs the closure so that the contexts of its last request are current in it: the test can read `g`, the request and the
    /// session.
    ///
    /// The request ends as always, with its teardown; then its app and request context are pushed again, and popped by the next
    /// request or at the end of the closure, which is a second teardown pass (`TST-02`, `TST-03`). Of redirects that are
    /// followed only the last one's contexts stay (`TST-07`); a request that throws leaves none (`TST-05`). Throws
    /// ``ContextError/Code/clientNested`` inside itself (`TST-04`). Works on a bare thread, in a scope that the task owns, and
    /// in a task outside any scope, which gets one. An error of the closure leaves before one of the last pop.
    public func preserving<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: (TestClient) throws -> Result
    ) throws -> Result {
        let site = Site(fileID: fileID, line: line)
        return try withPushScope { () throws -> Result in
            try self.beginPreserving(site)
            let result = Swift.Result { try body(self) }
            self.endPreserving()
            do {
                try self.popPreserved(site)
            } catch {
                _ = try result.get()
                throw error
            }
            return try result.get()
        }
    }

    /// Runs the closure, on the caller's actor, so that the contexts of its last request are current in it. Everything else is
    /// as with the synchronous form.
    public nonisolated(nonsending) func preserving<Result>(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (TestClient) async throws -> Result
    ) async throws -> Result {
        let site = Site(fileID: fileID, line: line)
        return try await withPushScope { () async throws -> Result in
            try self.beginPreserving(site)
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await body(self))
            } catch {
                result = .failure(error)
            }
            self.endPreserving()
            do {
                try await self.popPreserved(site)
            } catch {
                _ = try result.get()
                throw error
            }
            return try result.get()
        }
    }

    /// Runs the closure with the session that the client's next request would get, and saves it into the client's cookies.
    ///
    /// The session is opened in a request context of its own and saved in it again, two pushes with a teardown each; in the
    /// closure the test's own contexts are current (`TST-08`). Nothing is saved when the closure throws. Throws
    /// ``ContextError/Code/cookiesDisabled`` on a client without cookies, and ``ContextError/Code/sessionUnavailable`` when the
    /// store opens none.
    ///
    /// - Parameters:
    ///   - path: The path of the request, for stores that look at it.
    ///   - headers: Header fields of the request.
    ///   - body: Gets the session.
    public func sessionTransaction<Result>(
        _ path: String = "/",
        headers: HTTPFields = [:],
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: (App.Session) throws -> Result
    ) throws -> Result {
        let site = Site(fileID: fileID, line: line)
        if self.app.hasAsyncRequestHooks || self.app.hasAsyncAppHooks { throw ContextError.asyncHooks(self.app, site) }
        let (request, context) = try self.transaction(path, headers, site)
        let session = try self.pushed(context, site) { try $0.session }
        try Self.check(session, site)
        let result = try body(session)
        let fields = try self.pushed(context, site) { try Self.saved($0) }
        self.keepCookies(of: fields, for: request)
        return result
    }

    /// Runs the closure, on the caller's actor, with the session that the client's next request would get. Everything else is
    /// as with the synchronous form.
    public nonisolated(nonsending) func sessionTransaction<Result>(
        _ path: String = "/",
        headers: HTTPFields = [:],
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: nonisolated(nonsending) (App.Session) async throws -> Result
    ) async throws -> Result {
        let site = Site(fileID: fileID, line: line)
        let (request, context) = try self.transaction(path, headers, site)
        let session = try await self.pushed(context, site) { try $0.session }
        try Self.check(session, site)
        let result = try await body(session)
        let fields = try await self.pushed(context, site) { try Self.saved($0) }
        self.keepCookies(of: fields, for: request)
        return result
    }

    private func transaction(
        _ path: String,
        _ headers: HTTPFields,
        _ site: Site
    ) throws(ContextError) -> (TestRequest, App.RequestContext) {
        try self.checkCookies("keep a session", site)
        let request = try self.app.testRequest(path, headers: headers, fileID: site.fileID, line: site.line)
        return (request, self.context(for: request))
    }

    private static func check(_ session: App.Session, _ site: Site) throws(ContextError) {
        guard session.isNull else { return }
        throw ContextError(
            .sessionUnavailable,
            "the app opened no session for the client: give the app a session store, and the client a cookie that it takes",
            site: site
        )
    }

    private static func saved(_ context: App.RequestContext) throws -> HTTPFields {
        var fields = HTTPFields()
        try context.saveSession(into: &fields)
        return fields
    }

    /// Runs the closure with the context pushed.
    private func pushed<Result>(
        _ context: App.RequestContext,
        _ site: Site,
        _ body: (App.RequestContext) throws -> Result
    ) throws -> Result {
        try withPushScope { () throws -> Result in
            try context.push(fileID: site.fileID, line: site.line)
            let result = Swift.Result { try body(context) }
            do throws(ContextError) {
                try context.exit(error: result.failure, fileID: site.fileID, line: site.line)
            } catch {
                throw error.replacing(result.failure)
            }
            return try result.get()
        }
    }

    private nonisolated(nonsending) func pushed<Result>(
        _ context: App.RequestContext,
        _ site: Site,
        _ body: (App.RequestContext) throws -> Result
    ) async throws -> Result {
        try await withPushScope { () async throws -> Result in
            try context.push(fileID: site.fileID, line: site.line)
            let result = Swift.Result { try body(context) }
            do throws(ContextError) {
                try await context.exit(error: result.failure, fileID: site.fileID, line: site.line)
            } catch {
                throw error.replacing(result.failure)
            }
            return try result.get()
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
