// Hand-off to Dispatch: work on a queue that sees a borrowed context.

public import Dispatch

extension DispatchQueue {
    /// Submits work that runs with the borrowed contexts current.
    ///
    /// It runs as any work of the queue does; the group, when there is one, is left after it. The owner's teardown never runs
    /// here. When the owner has ended the contexts by then, the work does not run: `refused` gets
    /// ``ContextError/Code/borrowOutlived``, and the trail a problem.
    ///
    /// - Parameters:
    ///   - snapshot: What the work borrows. It serves any number of queues at once.
    ///   - group: A group that the work is part of.
    ///   - fileID: Where the hand-off is, for the problem.
    ///   - line: Where the hand-off is, for the problem.
    ///   - work: What to run.
    ///   - refused: What to run instead when the owner has ended, outside the contexts; nothing by default.
    public func async(
        in snapshot: ContextSnapshot,
        group: DispatchGroup? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        execute work: @escaping @Sendable () -> Void,
        refused: (@Sendable (any Error) -> Void)? = nil
    ) {
        self.async(group: group) {
            do { try snapshot.run(fileID: fileID, line: line) { work() } } catch { refused?(error) }
        }
    }

    /// Runs work on the queue with the borrowed contexts current, and waits for it.
    ///
    /// Throws what the work throws, and ``ContextError/Code/borrowOutlived``, without running it, when the owner has ended the
    /// contexts.
    public func sync<Result>(
        in snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        execute work: () throws -> Result
    ) throws -> Result {
        try self.sync { try snapshot.run(fileID: fileID, line: line, work) }
    }
}
