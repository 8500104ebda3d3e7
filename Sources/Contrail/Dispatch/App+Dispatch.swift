// A whole request through the app: Flask's `wsgi_app`.

public import ContextVariables
internal import ContrailRecorder
public import HTTPTypes

extension App {
    /// Handles a request: pushes a context for it, calls `before` functions, view, error handlers and `after` functions, saves
    /// the session, sends the signals, and pops the context.
    ///
    /// It pushes where it is called, as ``RequestContext/push(fileID:line:)`` does; a task that has no scope gets one for the
    /// length of the call. Throws what is nobody's to answer: an error that propagates (``Config/propagatesErrors``), a
    /// ``ProcessLevelError``, or the error of the pop, which replaces both response and error (`G2` to `G11`). With an async
    /// hook or handler registered it throws ``ContextError/Code/asyncHooks`` before any effect.
    ///
    /// - Parameters:
    ///   - request: The request's head.
    ///   - body: The request's body, in bytes.
    ///   - worker: The worker that handles the request; by default the thread, or none in a task.
    public func dispatch(
        _ request: HTTPRequest,
        body: [UInt8] = [],
        worker: Worker? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws -> Response {
        let context = RequestContext(self, request, body: body, endpoint: nil, requestID: nil, origin: .http)
        return try self.dispatch(context, worker: worker, Site(fileID: fileID, line: line)) { _ in }
    }

    /// Handles a request on the caller's actor, with async hooks and handlers. Everything else is as with the synchronous
    /// form.
    public nonisolated(nonsending) func dispatch(
        _ request: HTTPRequest,
        body: [UInt8] = [],
        worker: Worker? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws -> Response {
        let context = RequestContext(self, request, body: body, endpoint: nil, requestID: nil, origin: .http)
        return try await self.dispatch(context, worker: worker, Site(fileID: fileID, line: line)) { _ in }
    }

    /// Handles a request with a context that was made for it.
    ///
    /// - Parameter preserving: Called with the context just before its last pop, while it is current: a test client keeps
    ///     it to push it again (`TST-12`).
    func dispatch(
        _ context: RequestContext,
        worker: Worker?,
        _ site: Site,
        preserving preserve: (RequestContext) -> Void
    ) throws -> Response {
        if let handlers = self.handlers?.handlers, handlers.needsAsync { throw ContextError.asyncHandlers(self, site) }
        return try withPushScope {
            var dispatching = Dispatching(context)
            guard self.begin(&dispatching, context, worker: worker, site) else {
                dispatching.run()
                return try dispatching.result()
            }
            dispatching.run()
            dispatching.recordOutput(of: context)
            preserve(context)
            do throws(ContextError) {
                try context.pop(outcome: dispatching.outcome, fileID: site.fileID, line: site.line)
            } catch {
                throw error.replacing(dispatching.leavingError)
            }
            return try dispatching.result()
        }
    }

    /// Handles a request with a context that was made for it, on the caller's actor.
    nonisolated(nonsending) func dispatch(
        _ context: RequestContext,
        worker: Worker?,
        _ site: Site,
        preserving preserve: (RequestContext) -> Void
    ) async throws -> Response {
        try await withPushScope { () async throws -> Response in
            var dispatching = Dispatching(context)
            guard self.begin(&dispatching, context, worker: worker, site) else {
                await dispatching.run()
                return try dispatching.result()
            }
            await dispatching.run()
            dispatching.recordOutput(of: context)
            preserve(context)
            do throws(ContextError) {
                try await context.pop(outcome: dispatching.outcome, fileID: site.fileID, line: site.line)
            } catch {
                throw error.replacing(dispatching.leavingError)
            }
            return try dispatching.result()
        }
    }

    /// Pushes the context in two steps. Returns whether it is pushed; a failure of either step begins the dispatch as failed.
    private func begin(
        _ dispatching: inout Dispatching,
        _ context: RequestContext,
        worker: Worker?,
        _ site: Site
    ) -> Bool {
        do {
            try context.pushUnopened(worker: worker, site)
        } catch {
            dispatching.isPushed = false
            dispatching.start(failingWith: error)
            return false
        }
        do {
            try context.open()
            dispatching.start()
        } catch {
            dispatching.start(failingWith: error)
        }
        return true
    }
}

extension Dispatching {
    /// The error that is on its way out of the dispatch.
    fileprivate var leavingError: (any Error)? {
        if case .leaving(let error)? = self.ending { error } else { nil }
    }

    /// The response, or the error that leaves.
    fileprivate func result() throws -> App.Response {
        switch self.ending {
        case .response(let response)?: return response
        case .leaving(let error)?: throw error
        case nil: return App.Response(page: App.Abort(500))
        }
    }
}

extension ContextError {
    /// What a synchronous dispatch throws when something that is registered is async.
    static func asyncHandlers(_ app: App, _ site: Site = .unknown) -> ContextError {
        ContextError(
            .asyncHooks,
            "the app \(app.name) has an async hook or handler: use the async form of dispatch with await",
            site: site
        )
    }
}

extension Dispatching {
    /// Writes down the response that leaves the dispatch, for a replay.
    fileprivate func recordOutput(of context: App.RequestContext) {
        if case .response(let response) = self.ending { context.recordOutput(response) }
    }
}
