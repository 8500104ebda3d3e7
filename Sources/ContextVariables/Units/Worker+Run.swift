// Running a unit of work on a worker: for threads, Dispatch queues and job loops.

extension Worker {
    /// Runs the closure as one unit of this worker: recycles, binds a scope in which the worker hosts the code, runs, and releases
    /// the values of the unit.
    ///
    /// For a job loop, one worker for the loop; for a serial Dispatch queue, one for the queue; for a bare thread or a
    /// concurrent queue, ``Worker/current`` of the thread. A request's closure form does it by itself. What the closure sets in
    /// context variables ends with it, and contexts that it pushes and does not pop are leaks. A run inside a unit of the same
    /// worker is a unit of its own, and the outer one goes on with its values.
    public func run<Result, Failure: Error>(_ operation: () throws(Failure) -> Result) throws(Failure) -> Result {
        let (scope, unit) = self.beginRun()
        defer { self.endRun(scope, unit) }
        return try scope.run(operation)
    }

    /// Runs the closure as one unit of this worker, as its synchronous twin does, on the caller's actor. Child tasks are in the
    /// unit too.
    public nonisolated(nonsending) func run<Result, Failure: Error>(
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let (scope, unit) = self.beginRun()
        defer { self.endRun(scope, unit) }
        return try await scope.run(operation)
    }

    private func beginRun() -> (Scope, WorkUnit) {
        let caller = ExecutionID.current
        let (unit, recycling) = self.claimUnit(inside: Scope.unitInUse)
        let outer = Scope.around(caller)
        let scope = Scope(
            owner: caller,
            branch: outer?.forkedBranch,
            worker: recycling == nil ? Worker(hosting: unit) : self,
            layers: outer?.layers?.captured()
        )
        return (scope, unit)
    }

    private func endRun(_ scope: Scope, _ unit: WorkUnit) {
        scope.worker?.releaseUnit(begunAs: unit)
    }
}
