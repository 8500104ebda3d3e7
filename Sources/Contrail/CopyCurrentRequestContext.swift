// The hand-off that owns: a copy of the request context with a teardown pass of its own.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// Makes a function that runs in a copy of the current request context, taken now: Flask's `copy_current_request_context`.
///
/// A call pushes the copy that the function carries: the same request and the same session, an empty `g` of its own where no app
/// context of the app is current, and a teardown pass at the end, with the request's hooks and `closeRequest` (`HLP-03` to
/// `HLP-06`). While another task or thread is in a call, a call pushes a copy of its own, with a teardown pass of its own
/// (`HLP-07`). Prefer ``ContextSnapshot``, which borrows: it shares `g` and never runs the owner's teardown. May be called any
/// number of times, on any thread, at once. Leaves a `handoff` event.
///
/// Throws ``ContextError/Code/outsideRequestContext`` where no request is current. The function throws what `operation` throws;
/// when the pop fails, its error, with the other as ``ContextError/replaced``.
public func copyCurrentRequestContext<each Argument, Result>(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: @escaping @Sendable (repeat each Argument) throws -> Result
) throws(ContextError) -> @Sendable (repeat each Argument) throws -> Result {
    let site = Site(fileID: fileID, line: line)
    let carried = CarriedCopy(try App.RequestContext.copyOfCurrent(site))
    return { (arguments: repeat each Argument) throws -> Result in
        let call = carried.beginCall()
        defer { call.end() }
        return try call.context.runPushed(site) { try operation(repeat each arguments) }
    }
}

/// Makes an async function that runs in a copy of the current request context, taken now. Everything else is as with the
/// synchronous form.
public func copyCurrentRequestContext<Result>(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: @escaping @Sendable () async throws -> Result
) throws(ContextError) -> @Sendable () async throws -> Result {
    let site = Site(fileID: fileID, line: line)
    let carried = CarriedCopy(try App.RequestContext.copyOfCurrent(site))
    return {
        let call = carried.beginCall()
        defer { call.end() }
        return try await call.context.runPushed(site) { try await operation() }
    }
}

/// Makes an async function of one argument that runs in a copy of the current request context, taken now. Everything else is
/// as with the synchronous form, which takes any number of them.
public func copyCurrentRequestContext<Argument, Result>(
    fileID: StaticString = #fileID,
    line: UInt = #line,
    _ operation: @escaping @Sendable (Argument) async throws -> Result
) throws(ContextError) -> @Sendable (Argument) async throws -> Result {
    let site = Site(fileID: fileID, line: line)
    let carried = CarriedCopy(try App.RequestContext.copyOfCurrent(site))
    return { argument in
        let call = carried.beginCall()
        defer { call.end() }
        return try await call.context.runPushed(site) { try await operation(argument) }
    }
}

/// The copy that a function carries, and who is in a call with it.
private final class CarriedCopy: Sendable {
    /// One call of the function.
    struct Call {
        /// What it pushes.
        let context: App.RequestContext
        fileprivate let carried: CarriedCopy?

        func end() {
            self.carried?.users.withLock { $0.count -= 1 }
        }
    }

    private struct Users {
        var owner: ExecutionID?
        var count = 0
    }

    private let context: App.RequestContext
    private let users = Mutex(Users())

    init(_ context: App.RequestContext) {
        self.context = context
    }

    /// Begins a call of the caller's: with the copy itself, unless another task or thread is in a call or has left it pushed.
    func beginCall() -> Call {
        let caller = ExecutionID.current
        let isCarried = self.users.withLock { users in
            if users.count == 0 {
                let lifetime = self.context.lifetime.current
                guard lifetime.depth == 0 || lifetime.isPushed(by: caller) else { return false }
                users.owner = caller
            } else if users.owner != caller {
                return false
            }
            users.count += 1
            return true
        }
        return isCarried ? Call(context: self.context, carried: self) : Call(context: self.context.copy(), carried: nil)
    }
}

extension App.RequestContext {
    fileprivate static func copyOfCurrent(_ site: Site) throws(ContextError) -> App.RequestContext {
        let context = try Current.Reader(site: site).requestContext
        context.app.record(context: context.lifetime.current.ordinal, unit: Scope.current?.unit) { recorder, head in
            recorder.recordHandoff(head, name: "copy", site: site)
        }
        return context.copy()
    }

    /// Pushes the context, runs the closure, pops with its outcome.
    fileprivate func runPushed<Result>(_ site: Site, _ operation: () throws -> Result) throws -> Result {
        // Before any effect: the pop could not run them, and the context would stay on the thread.
        if self.app.hasAsyncAppHooks || self.app.hasAsyncRequestHooks {
            throw ContextError.asyncHooks(self.app, site)
        }
        return try withPushScope {
            try self.push(fileID: site.fileID, line: site.line)
            let result = Swift.Result { try operation() }
            try self.popReplacing(result, site) { outcome throws(ContextError) in
                try self.pop(outcome: outcome, fileID: site.fileID, line: site.line)
            }
            return try result.get()
        }
    }

    fileprivate nonisolated(nonsending) func runPushed<Result>(
        _ site: Site,
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        try await withPushScope { () async throws -> Result in
            try self.push(fileID: site.fileID, line: site.line)
            let result: Swift.Result<Result, any Error>
            do {
                result = .success(try await operation())
            } catch {
                result = .failure(error)
            }
            do throws(ContextError) {
                try await self.pop(outcome: Outcome(of: result), fileID: site.fileID, line: site.line)
            } catch {
                throw error.replacing(result.failure)
            }
            return try result.get()
        }
    }

    private func popReplacing<Result>(
        _ result: Swift.Result<Result, any Error>,
        _ site: Site,
        _ pop: (Outcome) throws(ContextError) -> Void
    ) throws(ContextError) {
        do throws(ContextError) {
            try pop(Outcome(of: result))
        } catch {
            throw error.replacing(result.failure)
        }
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

extension Outcome {
    fileprivate init<Success>(of result: Result<Success, any Error>) {
        switch result {
        case .success: self = .ok
        case .failure(let error): self.init(error: error)
        }
    }
}
