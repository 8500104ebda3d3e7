// Hand-off to callbacks of futures, which run on their event loop and inherit nothing.

public import Contrail
public import NIOCore

extension EventLoopFuture {
    /// Transforms the value with the borrowed contexts current.
    ///
    /// The future fails with what the callback throws, and with ``ContextError/Code/borrowOutlived``, without calling it, when
    /// the owner has ended the contexts by then. The owner's teardown never runs here.
    public func mapInContext<NewValue>(
        _ snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ callback: @escaping @Sendable (Value) throws -> NewValue
    ) -> EventLoopFuture<NewValue> {
        self.flatMapThrowing { value in try snapshot.run(fileID: fileID, line: line) { try callback(value) } }
    }

    /// Goes on with the future that the callback makes with the borrowed contexts current.
    ///
    /// The contexts are current for the callback itself and not for what its future calls later. The future fails with what the
    /// callback throws, and with ``ContextError/Code/borrowOutlived``, without calling it, when the owner has ended the contexts
    /// by then.
    public func flatMapInContext<NewValue: Sendable>(
        _ snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ callback: @escaping @Sendable (Value) throws -> EventLoopFuture<NewValue>
    ) -> EventLoopFuture<NewValue> {
        let eventLoop = self.eventLoop
        return self.flatMap { value in
            do { return try snapshot.run(fileID: fileID, line: line) { try callback(value) } } catch {
                return eventLoop.makeFailedFuture(error)
            }
        }
    }

    /// Calls back with the result, with the borrowed contexts current.
    ///
    /// The callback is called once in any case. When the owner has ended the contexts by then it is called outside them, with
    /// ``ContextError/Code/borrowOutlived`` in place of the result.
    public func whenCompleteInContext(
        _ snapshot: ContextSnapshot,
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ callback: @escaping @Sendable (Result<Value, any Error>) -> Void
    ) {
        self.whenComplete { result in
            do { try snapshot.run(fileID: fileID, line: line) { callback(result) } } catch { callback(.failure(error)) }
        }
    }
}
