// A stream whose elements are produced with the request current: Flask's `stream_with_context`.

internal import ContrailRecorder

/// Makes a stream whose elements are produced in the current request context, which ends when the stream does.
///
/// The context is captured, and kept, from here on (`STR-02`): the owner's pop does not tear it down, the end of the stream
/// does, exactly once, on whatever thread or task that happens (`STR-03`). Its outcome is `ok` when the stream came to its end,
/// `failed` when it threw, `aborted` when it was cancelled or dropped, also when it was never iterated (`STR-05`, `STR-07`). The
/// context is current while an element is produced and not between two of them (`STR-08`); `g` and session are the request's own,
/// and changes of the session are not saved any more (`STR-04`).
///
/// Throws ``ContextError/Code/outsideRequestContext`` where no request is current (`STR-01`). Iterate over it once; a second
/// iteration after the end throws ``ContextError/Code/streamEnded``.
public func streamWithContext<Base: AsyncSequence & Sendable>(
    _ base: Base,
    fileID: StaticString = #fileID,
    line: UInt = #line
) throws -> ContextStream<Base> {
    ContextStream(base: base, hold: try ContextHold(Site(fileID: fileID, line: line)))
}

/// Makes a synchronous stream whose elements are produced in the current request context, which ends when the stream does.
///
/// Everything is as with the asynchronous form, but that iterating cannot throw: after the end there are no elements. Call
/// ``ContextSequence/close()`` to end it early. With an async hook registered, the end runs in a housekeeping task.
public func streamWithContext<Base: Sequence>(
    _ base: Base,
    fileID: StaticString = #fileID,
    line: UInt = #line
) throws -> ContextSequence<Base> {
    ContextSequence(base: base, hold: try ContextHold(Site(fileID: fileID, line: line)))
}

/// What ``streamWithContext(_:fileID:line:)`` makes of an asynchronous sequence.
public struct ContextStream<Base: AsyncSequence & Sendable>: AsyncSequence, Sendable {
    /// What the stream is of.
    public typealias Element = Base.Element

    let base: Base
    let hold: ContextHold

    /// Produces elements with the context current.
    public struct AsyncIterator: AsyncIteratorProtocol {
        var base: Base.AsyncIterator
        let hold: ContextHold
        private var isDone = false

        init(base: Base.AsyncIterator, hold: ContextHold) {
            self.base = base
            self.hold = hold
        }

        /// The next element; `nil` at the end, which ends the context. Throws what the base throws, after the context has ended
        /// with it; a failure of teardown is in the trail.
        public mutating func next() async throws -> Element? {
            guard !self.isDone else { return nil }
            let hold = self.hold
            do {
                // Only this call touches the iterator until it returns, on the caller's actor all the while.
                nonisolated(unsafe) var base = self.base
                let element = try await hold.run { () async throws -> Element? in
                    try await base.next(isolation: #isolation)
                }
                self.base = base
                guard element == nil else { return element }
            } catch {
                self.isDone = true
                await hold.finish(Task.isCancelled ? .aborted : Outcome(error: error))
                throw error
            }
            self.isDone = true
            await hold.finish(Task.isCancelled ? .aborted : .ok)
            return nil
        }
    }

    /// Begins the one iteration.
    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(base: self.base.makeAsyncIterator(), hold: self.hold)
    }
}

/// What ``streamWithContext(_:fileID:line:)`` makes of a sequence.
public struct ContextSequence<Base: Sequence>: Sequence, IteratorProtocol {
    /// What the stream is of.
    public typealias Element = Base.Element

    private var base: Base.Iterator?
    private let source: Base
    private let hold: ContextHold

    init(base: Base, hold: ContextHold) {
        self.source = base
        self.hold = hold
    }

    /// The next element, produced with the context current; `nil` at the end, which ends the context.
    public mutating func next() -> Base.Element? {
        var iterator = self.base
        let source = self.source
        let element = try? self.hold.run { () throws -> Base.Element? in
            var current = iterator ?? source.makeIterator()
            defer { iterator = current }
            return current.next()
        }
        self.base = iterator
        if let element = element.flatMap({ $0 }) { return element }
        self.hold.finish(.ok)
        return nil
    }

    /// Ends the stream and its context before all elements were produced. Does nothing when it has ended.
    public func close() {
        self.hold.finish(.aborted)
    }
}

extension ContextSequence: Sendable where Base: Sendable, Base.Iterator: Sendable {}
