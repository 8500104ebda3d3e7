// Hand-off to the threads that do blocking work for event loops.

public import Contrail
public import NIOCore
public import NIOPosix

extension NIOThreadPool {
    /// Runs blocking work on a thread of the pool with the borrowed contexts current.
    ///
    /// Throws what the work throws and what the pool throws when it is not active; ``ContextError/Code/borrowOutlived``, without
    /// running the work, when the owner has ended the contexts by then. The owner's teardown never runs here.
    public func runIfActiveInContext<Result: Sendable>(
        _ snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await self.runIfActive { try snapshot.run(fileID: fileID, line: line, body) }
    }

    /// Runs blocking work on a thread of the pool with the borrowed contexts current, and gives a future of its result.
    ///
    /// The future fails with what the async form throws.
    public func runIfActiveInContext<Result: Sendable>(
        _ snapshot: ContextSnapshot,
        eventLoop: any EventLoop,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ body: @escaping @Sendable () throws -> Result
    ) -> EventLoopFuture<Result> {
        self.runIfActive(eventLoop: eventLoop) { try snapshot.run(fileID: fileID, line: line, body) }
    }
}
