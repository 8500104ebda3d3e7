// A scope that is there to be pushed into: for a task that has none, and calls something that pushes.

internal import ContextVariables
internal import ContrailRecorder

/// A scope that shows what is current around it and takes imperative pushes. What is left in it is torn down at its end.
struct PushScope {
    let layers: ContextLayers
    let scope: Scope

    /// Makes a scope, if the caller needs one: a task that has none of its own, or anybody where the scope around has ended. Others push
    /// where they are.
    init?() {
        let caller = ExecutionID.current
        let (current, inherited) = (ContextLayers.here, ContextLayers.inheritable)
        if let current {
            if current === inherited, current.pusher == caller || !caller.isTask { return nil }
        } else if !caller.isTask {
            return nil
        }
        self.init(of: caller, in: inherited)
    }

    /// Makes a scope of the caller's, whether it needs one or not.
    init(of caller: ExecutionID, in inherited: ContextLayers?) {
        let outer = Scope.current
        let around = inherited?.visible ?? .nothing
        self.layers = ContextLayers(
            owner: caller,
            base: around,
            in: inherited,
            outerRequest: around.request,
            takesApp: around.app != nil
        )
        self.scope = Scope(
            owner: caller,
            branch: Scope.branch(for: caller, nestedIn: outer),
            source: outer?.unitSource,
            layers: self.layers
        )
    }

    /// Runs the closure in the scope and tears down what it left.
    func use<Result>(_ operation: () throws -> Result) throws -> Result {
        defer {
            self.layers.close()
            // Whoever pushes in a scope of its own cannot be waited for by a synchronous caller with async hooks.
            let leftovers = self.layers.takeLeftovers()
            if !leftovers.isEmpty { Housekeeping.tearDown(leftovers) }
        }
        return try self.scope.run(operation)
    }

    /// Runs the closure in the scope, on the caller's actor, and tears down what it left.
    nonisolated(nonsending) func use<Result>(
        _ operation: nonisolated(nonsending) () async throws -> Result
    ) async throws -> Result {
        defer {
            self.layers.close()
            let leftovers = self.layers.takeLeftovers()
            if !leftovers.isEmpty { Housekeeping.tearDown(leftovers) }
        }
        return try await self.scope.run(operation)
    }
}

/// Runs the closure where imperative pushes are possible.
func withPushScope<Result>(_ operation: () throws -> Result) throws -> Result {
    if let scope = PushScope() { return try scope.use(operation) }
    return try operation()
}

/// Runs the closure, on the caller's actor, where imperative pushes are possible.
nonisolated(nonsending) func withPushScope<Result>(
    _ operation: nonisolated(nonsending) () async throws -> Result
) async throws -> Result {
    if let scope = PushScope() { return try await scope.use(operation) }
    return try await operation()
}
