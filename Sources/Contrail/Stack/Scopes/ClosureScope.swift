// What the closure forms are made of: they are inlined into their callers.

public import ContextVariables
internal import ContrailRecorder
public import HTTPTypes

/// The scope of a synchronous closure form: made, entered, bound and finished, in this order and on one thread.
///
/// A function that is generic over what its caller returns and throws asks at run time for the sizes of both, which costs more than
/// everything else a closure form does. So these forms are inlined, and nothing that they call is generic but what is rare.
///
/// The closure's own error always leaves as it is. An error of entering or of teardown leaves when the closure's error type can
/// carry it, which `any Error` can; otherwise the trail alone has it and the closure runs all the same.
///
/// Nothing here is counted by the compiler: the scope has one count, which goes to the binding and ends with it, and its context is
/// held by the scope.
@usableFromInline
struct ClosureScope {
    let scope: Unmanaged<ContextScope>
    /// What stopped the entry, if anything did: the entry goes on (``goOn(after:)``), or it is abandoned.
    @usableFromInline let obstacle: (any Error)?

    /// Why a synchronous form refuses before any effect, when it can say so: a hook is async. Async hooks that were not refused run
    /// on a housekeeping task afterwards.
    @usableFromInline
    static func refusal(_ app: App, isRequest: Bool, fileID: StaticString, line: UInt) -> (any Error)? {
        guard app.hasAsyncAppHooks || app.hasAsyncRequestHooks else { return nil }
        let ownsApp = !isRequest || ContextLayers.inheritable?.visible.app?.app !== app
        guard (ownsApp && app.hasAsyncAppHooks) || (isRequest && app.hasAsyncRequestHooks) else { return nil }
        return ContextError.asyncHooks(app, Site(fileID: fileID, line: line))
    }

    // Functions and no initialisers, which would be given counts of their own.

    /// Enters a new app context.
    @usableFromInline
    static func enter(_ app: App, worker: Worker?, fileID: StaticString, line: UInt) -> ClosureScope {
        ClosureScope(ContextScope.open(app, worker: worker, site: Site(fileID: fileID, line: line)))
    }

    /// Enters a new request context, on the current app context of its app or on one of its own.
    @usableFromInline
    static func enter(
        _ app: App,
        _ request: HTTPRequest,
        worker: Worker?,
        fileID: StaticString,
        line: UInt
    ) -> ClosureScope {
        ClosureScope(ContextScope.open(app, request, worker: worker, site: Site(fileID: fileID, line: line)))
    }

    @inline(__always)
    private init(_ scope: consuming ContextScope) {
        self.obstacle = scope.push()
        self.scope = Unmanaged.passRetained(scope)
    }

    /// The error that stopped the entry.
    @usableFromInline
    static func error(of obstacle: any Error) -> any Error { (obstacle as? ContextScope.Obstacle)?.error ?? obstacle }

    /// Undoes the entry, which is the end of the scope.
    @usableFromInline
    func abandon(after obstacle: any Error) {
        let scope = self.scope.takeRetainedValue()
        if let obstacle = obstacle as? ContextScope.Obstacle { scope.abandonNow(obstacle) }
    }

    /// Goes on with the entry, in spite of what stopped it.
    @usableFromInline
    func goOn(after obstacle: any Error) {
        guard let obstacle = obstacle as? ContextScope.Obstacle else { return }
        self.scope._withUnsafeGuaranteedRef { $0.goOn(after: obstacle) }
    }

    /// The app context, which the scope holds for as long as the closure runs.
    @usableFromInline
    var lentContext: Unmanaged<AppContext> { self.scope._withUnsafeGuaranteedRef { $0.borrowedContext } }

    /// Runs the closure with the app context. It is lent and not counted, but where the closure keeps it.
    @inlinable
    @inline(__always)
    func withContext<Result, Failure: Error>(
        _ operation: (AppContext) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Self.lend(self.lentContext, to: operation)
    }

    /// The request context, which the scope holds for as long as the closure runs. A scope for a request has one.
    @usableFromInline
    var lentRequest: Unmanaged<App.RequestContext> {
        self.scope._withUnsafeGuaranteedRef { $0.borrowedRequest.unsafelyUnwrapped }
    }

    /// Runs the closure with the request context, which is lent as the app context is.
    @inlinable
    @inline(__always)
    func withRequest<Result, Failure: Error>(
        _ operation: (App.RequestContext) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try Self.lend(self.lentRequest, to: operation)
    }

    /// Runs the closure with an object that the scope holds.
    @inlinable
    @inline(__always)
    static func lend<Object: AnyObject, Result, Failure: Error>(
        _ lent: Unmanaged<Object>,
        to operation: (Object) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let result = lent._withUnsafeGuaranteedRef { object -> Swift.Result<Result, Failure> in
            do throws(Failure) {
                return .success(try operation(object))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// The request context.
    @usableFromInline
    var request: App.RequestContext { self.lentRequest.takeUnretainedValue() }

    /// The app context.
    @usableFromInline
    var context: AppContext { self.lentContext.takeUnretainedValue() }

    /// Makes the contexts current, until it is finished. Returns false, and does nothing, where only ``runWrapped(_:)`` can.
    @usableFromInline
    func bind() -> Bool { Scope.bind(Unmanaged.fromOpaque(self.scope.toOpaque())) }

    /// Finishes after the closure has returned, which is the end of the scope. Returns what leaves if it can, when teardown threw.
    @usableFromInline
    func finish() -> (any Error)? {
        let site = self.scope._withUnsafeGuaranteedRef { $0.site }
        guard let errors = ContextScope.finish(bound: self.scope, .ok) else { return nil }
        return ContextError.teardownFailed(errors, site)
    }

    /// Finishes after the closure has thrown, which is the end of the scope.
    @usableFromInline
    func finish(after error: any Error) {
        _ = ContextScope.finish(bound: self.scope, Outcome(error: error))
    }

    /// Runs the closure with the contexts current, and finishes. Once: then the scope is gone.
    @inlinable
    @inline(__always)
    func use<Result, Failure: Error>(_ operation: () throws(Failure) -> Result) throws(Failure) -> Result {
        if let obstacle = self.obstacle {
            if let error = Self.error(of: obstacle) as? Failure {
                self.abandon(after: obstacle)
                throw error
            }
            self.goOn(after: obstacle)
        }
        guard self.bind() else { return try self.runWrapped(operation) }
        let value: Result
        do throws(Failure) {
            value = try operation()
        } catch {
            self.finish(after: error)
            throw error
        }
        // First whether there is one: casting nil asks the runtime too.
        if let error = self.finish(), let error = error as? Failure { throw error }
        return value
    }

    /// Runs the closure and finishes, where a binding needs a closure.
    @usableFromInline
    @inline(never)
    func runWrapped<Result, Failure: Error>(_ operation: () throws(Failure) -> Result) throws(Failure) -> Result {
        let scope = self.scope.takeRetainedValue()
        var errors: [any Error] = []
        var unwinding = ContextScope.Unwinding.none
        let value: Result
        do throws(Failure) {
            value = try scope.run { () throws(Failure) in
                let value: Result
                do throws(Failure) {
                    value = try operation()
                } catch {
                    unwinding = scope.unwindNowOrLater(Outcome(error: error), &errors)
                    throw error
                }
                unwinding = scope.unwindNowOrLater(.ok, &errors)
                return value
            }
        } catch {
            scope.conclude(unwinding, Outcome(error: error), &errors)
            throw error
        }
        scope.conclude(unwinding, .ok, &errors)
        if !errors.isEmpty, let error = ContextError.teardownFailed(errors, scope.site) as? Failure { throw error }
        return value
    }
}
