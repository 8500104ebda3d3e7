// The hand-off that owns: a copy of the request context with a teardown pass of its own.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// Makes a function that runs in a copy of the current request context, taken now: Flask's `copy_current_request_context`.
///
/// A call pushes the copy that the function carries: the same request and the same session, an empty `g` of its own where no app
/// context of the app is current, and a teardown pass at the end, with the request's hooks and `closeRequest` (`HLP-03` to
/// `HLP-06`). Calls in each other push it once more, and it is torn down with the first of them. While another task or thread is in
/// a call, a call pushes a copy of its own, with a teardown pass of its own (`HLP-07`). Prefer ``ContextSnapshot``, which borrows: it shares `g` and never runs the owner's teardown. May be called any
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
///
/// What is pushed is made from it for the first of calls in each other, and forgotten with the end of that one: what it holds then, its
/// app context above all, is held by those who have it pushed alone.
private final class CarriedCopy: Sendable {
    /// One call of the function.
    struct Call {
        /// What it pushes.
        let context: App.RequestContext
        fileprivate let carried: CarriedCopy?
        /// Where the calls around it have the context pushed.
        fileprivate let outerContext: AppContext?

        func end() {
            if let outerContext { self.context.setAppContext(outerContext) }
            self.carried?.endCall()
        }
    }

    private struct Users {
        /// What is pushed, while somebody is in a call.
        var context: App.RequestContext?
        var owner: ExecutionID?
        var count = 0
        /// What was pushed last, for as long as it is: its pop may have been refused.
        weak var last: App.RequestContext?
    }

    private let template: App.RequestContext
    private let users = Mutex(Users())

    init(_ template: App.RequestContext) {
        self.template = template
    }

    /// Begins a call of the caller's. Calls in each other push one context, and so does one after a call whose pop was refused, for as
    /// long as the caller sees that push. A call beside another task's or thread's pushes one of its own.
    func beginCall() -> Call {
        let caller = ExecutionID.current
        let fresh = self.template.copy()
        let pushed = ContextLayers.inheritable?.leftovers ?? []
        // Held here: it must not die under the lock.
        let last = self.users.withLock { $0.last }
        let isLeft = pushed.contains { push in
            if case .request(let context, _) = push.subject { context === last } else { false }
        }
        let first = isLeft ? last ?? fresh : fresh
        return self.users.withLock { users in
            if users.count > 0 {
                guard users.owner == caller, let context = users.context else {
                    return Call(context: fresh, carried: nil, outerContext: nil)
                }
                users.count += 1
                return Call(context: context, carried: self, outerContext: context.appContext)
            }
            users.context = first
            users.last = first
            users.owner = caller
            users.count = 1
            return Call(context: first, carried: self, outerContext: isLeft ? first.appContext : nil)
        }
    }

    private func endCall() {
        // Released outside the lock: what dies with it may run user code.
        let ended = self.users.withLock { users -> App.RequestContext? in
            users.count -= 1
            guard users.count == 0 else { return nil }
            defer { users.context = nil }
            return users.context
        }
        withExtendedLifetime(ended) {}
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
