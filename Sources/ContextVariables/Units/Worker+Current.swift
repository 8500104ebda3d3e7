// Which worker hosts the caller's code.

extension Worker {
    /// The worker that hosts the code of the caller: the one of the innermost scope, or of the bare thread that it runs on.
    ///
    /// `Worker.current?.recycle()` is what the original's `increment_thread_recycles` is (`REC-01`). In the run of a
    /// ``VariableSnapshot`` it is the snapshot's own worker, so that nothing there recycles what the snapshot was taken from; in
    /// a unit that is nested in another one of the same worker, a worker of that unit alone. It is `nil` in a task that no worker
    /// hosts: name one in `withAppContext` or `withRequestContext`, or use ``run(_:)``.
    public static var current: Worker? {
        let scope = Scope.current
        guard let scope else { return ExecutionID.isInTask ? nil : ThreadState.current.worker }
        guard let worker = scope.worker else { return nil }
        guard case .own(let unit, _)? = scope.unitSource, !worker.hosts(unit) else { return worker }
        return Worker(hosting: unit)
    }

    /// The worker on which a request that `caller` pushes inside `outer` takes its unit, unless it names one: that of the
    /// scope, if the caller owns it, or that of the bare thread. `nil` in other tasks: their requests are units by themselves.
    package static func toClaim(for caller: ExecutionID, in outer: Scope?) -> Worker? {
        if let outer, outer.owner == caller, let worker = outer.worker { return worker }
        return caller.isTask ? nil : ThreadState.current.worker
    }
}
