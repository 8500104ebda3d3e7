// Hand-off to a thread: a new one that sees a borrowed context.

public import Foundation

extension Thread {
    /// Starts a thread that runs the block with the borrowed contexts current.
    ///
    /// The owner's teardown never runs there. When the owner has ended the contexts by then, the block does not run: `refused`
    /// gets ``ContextError/Code/borrowOutlived``, and the trail a problem.
    ///
    /// - Parameters:
    ///   - snapshot: What the block borrows. It serves any number of threads at once.
    ///   - fileID: Where the hand-off is, for the problem.
    ///   - line: Where the hand-off is, for the problem.
    ///   - block: What to run.
    ///   - refused: What to run instead when the owner has ended, outside the contexts; nothing by default.
    public static func detachNewThread(
        in snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ block: @escaping @Sendable () -> Void,
        refused: (@Sendable (any Error) -> Void)? = nil
    ) {
        Thread.detachNewThread {
            do { try snapshot.run(fileID: fileID, line: line) { block() } } catch { refused?(error) }
        }
    }
}
