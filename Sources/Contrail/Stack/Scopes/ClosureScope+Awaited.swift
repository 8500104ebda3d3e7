// What the async closure forms add to the synchronous ones: they are inlined into their callers, too.

public import ContextVariables
internal import ContrailRecorder

/// The same scope for an async closure form: entered, run and finished, in this order and on the caller's actor.
///
/// Inlined for one reason more: in an async function every value of a type that is known at run time alone is allocated from the
/// task. The standard library binds, for what a task allocates must be given back in order.
extension ClosureScope {
    /// What is bound.
    @usableFromInline
    var bound: _Scope { self.scope.takeUnretainedValue() }

    /// Where it is bound.
    @usableFromInline
    static var storage: TaskLocal<_Scope?> { Scope.storage }

    /// Undoes the entry, which is the end of the scope.
    @usableFromInline
    @inline(never)
    nonisolated(nonsending) func abandonAwaited(after obstacle: any Error) async {
        let scope = self.scope.takeRetainedValue()
        if let obstacle = obstacle as? ContextScope.Obstacle { await scope.abandonAwaited(obstacle) }
    }

    /// Whether finishing it has to wait for somebody.
    @usableFromInline
    var needsAsync: Bool { self.scope._withUnsafeGuaranteedRef { $0.needsAsync } }

    /// Finishes where nobody is waited for and nothing is bound any more, which is the end of the scope. Returns what leaves if it can,
    /// when teardown threw.
    @usableFromInline
    func finishUnbound(after error: (any Error)?) -> (any Error)? {
        let scope = self.scope.takeRetainedValue()
        return Self.error(of: scope.finishNow(error.map { Outcome(error: $0) } ?? .ok), scope.site)
    }

    /// The same with async hooks.
    @usableFromInline
    @inline(never)
    nonisolated(nonsending) func finishAwaited(after error: (any Error)?) async -> (any Error)? {
        let scope = self.scope.takeRetainedValue()
        return Self.error(of: await scope.finishAwaited(error.map { Outcome(error: $0) } ?? .ok), scope.site)
    }

    private static func error(of errors: [any Error], _ site: Site) -> (any Error)? {
        errors.isEmpty ? nil : ContextError.teardownFailed(errors, site)
    }

    /// Runs the closure with the contexts current, and finishes. Once: then the scope is gone.
    @inlinable
    @inline(__always)
    nonisolated(nonsending) func use<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        if let obstacle = self.obstacle {
            if let error = Self.error(of: obstacle) as? Failure {
                await self.abandonAwaited(after: obstacle)
                throw error
            }
            self.goOn(after: obstacle)
        }
        let value: Result
        do {
            value = try await Self.storage.withValue(self.bound) { try await operation() }
        } catch {
            // withValue only rethrows; what leaves it is what left the closure.
            let error = error as! Failure
            _ = self.needsAsync ? await self.finishAwaited(after: error) : self.finishUnbound(after: error)
            throw error
        }
        let error = self.needsAsync ? await self.finishAwaited(after: nil) : self.finishUnbound(after: nil)
        // First whether there is one: casting nil asks the runtime too.
        if let error, let error = error as? Failure { throw error }
        return value
    }
}
