// Hand-off to a task that inherits nothing by itself.

extension ContextSnapshot {
    /// Starts a detached task that runs the operation with the borrowed contexts current.
    ///
    /// The owner's teardown never runs there. The task throws what the operation throws, and
    /// ``ContextError/Code/borrowOutlived``, without running it, when the owner has ended the contexts by then. Like any
    /// detached task it is not cancelled with the one that starts it.
    @discardableResult
    public func detached<Result: Sendable>(
        name: String? = nil,
        priority: TaskPriority? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ operation: @escaping @Sendable () async throws -> Result
    ) -> Task<Result, any Error> {
        Task.detached(name: name, priority: priority) {
            try await self.run(fileID: fileID, line: line) { () async throws -> Result in try await operation() }
        }
    }
}
