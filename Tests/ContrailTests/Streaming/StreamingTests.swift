// Streams that keep their request: how they end, and where.

import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Synchronization
import Testing

@Suite("Streaming")
struct StreamingTests {
    private let desk = Desk()
    private let log = Log()

    /// Numbers that say which request they are produced in.
    private func numbers(_ count: Int, failingAt failure: Int? = nil) -> AsyncThrowingStream<String, any Error> {
        let next = Counter()
        return AsyncThrowingStream {
            let number = next.next()
            if number == failure { throw Boom() }
            guard number <= count else { return nil }
            return "\(number) \(Current.requestContext?.path ?? "outside")"
        }
    }

    @Test("A stream needs a request: outside one it is refused (STR-01).")
    func outside() throws {
        #expect(code { _ = try streamWithContext([1]) } == .outsideRequestContext)
        try withAppContext(self.desk.app) { _ throws in
            #expect(code { _ = try streamWithContext([1]) } == .outsideRequestContext)
        }
        #expect(self.desk.events().pushes.count == 1)
    }

    @Test("The body runs after the view has returned, and teardown once, at its end, with ok (STR-02, STR-03, STR-05).")
    func finished() async throws {
        try self.desk.logHooks(self.log, app: ["app"], request: ["request"])
        let stream = try await withRequestContext(self.desk.app, get("/report")) { context async throws in
            try context.g["x"] = 1
            return try streamWithContext(self.numbers(2))
        }
        #expect(self.log.lines.isEmpty)
        #expect(!hasRequestContext())
        var seen: [String] = []
        for try await line in stream {
            seen.append(line)
            #expect(!hasRequestContext(), "the consumer does not see it between two elements (STR-08)")
        }
        #expect(seen == ["1 /report", "2 /report"])
        #expect(self.log.lines == ["request ok", "app ok"])
        let events = self.desk.events()
        #expect(events.problems.isEmpty)
        #expect(events.pops.map(\.pop.remaining) == [1, 1, 0, 0])
    }

    @Test("g and session are the request's own, and the session is not opened again (STR-04).")
    func sharedState() async throws {
        let app = App("streams", sessions: MemorySessions())
        let (stream, session) = try await withRequestContext(app, get("/")) { context async throws in
            try context.g["x"] = "of the view"
            return (try streamWithContext(Probe { try Current.g["x"] as? String }), try context.session)
        }
        let sessions = try streamWithSession(app)
        for try await value in stream { #expect(value == "of the view") }
        #expect(session.isEmpty)
        #expect(sessions)
    }

    private func streamWithSession(_ app: App) throws -> Bool {
        try withRequestContext(app, get("/")) { context throws in
            let session = try context.session
            var stream = try streamWithContext([1].lazy.map { _ in (try? Current.session) === session })
            return stream.next() ?? false
        }
    }

    @Test("A body that throws ends the context with its error (STR-05).")
    func failed() async throws {
        try self.desk.logHooks(self.log, request: ["request"])
        let stream = try await withRequestContext(self.desk.app, get("/")) { _ async throws in
            try streamWithContext(self.numbers(3, failingAt: 2))
        }
        await #expect(throws: Boom.self) { for try await _ in stream {} }
        #expect(self.log.lines == ["request failed \(Boom())"])
    }

    @Test("A consumer that is cancelled ends the context as aborted, with its async hooks.")
    func cancelled() async throws {
        let log = self.log
        let ended = Gate()
        try self.desk.app.teardownRequest("request") { _, outcome in
            await Task.yield()
            log.add("request \(outcome.text) \(Task.isCancelled)")
            ended.open()
        }
        let began = Gate()
        let stream = try await withRequestContext(self.desk.app, get("/")) { _ async throws in
            try streamWithContext(AsyncStream<Int> { continuation in continuation.yield(1) })
        }
        let consumer = Task {
            for try await _ in stream { began.open() }
        }
        await began.wait()
        consumer.cancel()
        _ = await consumer.result
        await ended.wait()
        #expect(self.log.lines == ["request aborted false"])
    }

    @Test("A stream that nobody iterates over ends its context when it is dropped, as aborted (STR-07).")
    func neverIterated() async throws {
        let ended = Gate()
        let log = self.log
        try self.desk.app.teardownAppContext("app") { _, outcome in
            log.add("app \(outcome.text)")
            ended.open()
        }
        _ = try await withRequestContext(self.desk.app, get("/")) { _ async throws in
            _ = try streamWithContext(self.numbers(2))
        }
        await ended.wait()
        #expect(self.log.lines == ["app aborted"])
    }

    @Test("A stream that is abandoned half-way on another thread ends there, and leaves nothing on it (STR-09).")
    func abandonedElsewhere() async throws {
        let ended = Gate()
        let log = self.log
        try self.desk.app.teardownAppContext("app") { _, outcome in
            log.add("app \(outcome.text)")
            ended.open()
        }
        let stream = try withRequestContext(self.desk.app, get("/")) { _ throws in try streamWithContext([1, 2, 3]) }
        let leftovers = Log()
        let joined = Gate()
        Thread.detachNewThread {
            do {
                var stream = stream
                leftovers.add("\(stream.next() ?? 0)")
                stream.close()
            }
            leftovers.add("\(hasAppContext())")
            joined.open()
        }
        await joined.wait()
        await ended.wait()
        #expect(leftovers.lines == ["1", "false"])
        #expect(self.log.lines == ["app aborted"])
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A second iteration after the end is refused, and closing twice does nothing.")
    func twice() async throws {
        try self.desk.logHooks(self.log, request: ["request"])
        let stream = try await withRequestContext(self.desk.app, get("/")) { _ async throws in
            try streamWithContext(AsyncStream<Int> { $0.finish() })
        }
        for try await _ in stream {}
        await #expect(throws: ContextError.self) { for try await _ in stream {} }
        #expect(self.log.lines == ["request ok"])
        let other = try withRequestContext(self.desk.app, get("/")) { _ throws in try streamWithContext([1]) }
        other.close()
        other.close()
        #expect(Array(other).isEmpty)
        #expect(self.log.lines == ["request ok", "request aborted"])
    }

    @Test("A stream that is made under another app's context holds the request's own, and g stays the request's.")
    func underAnotherApp() async throws {
        let other = Desk("other")
        let stream = try await withRequestContext(self.desk.app, get("/")) { context async throws in
            try context.g["id"] = "own"
            let stream = try withAppContext(other.app) { _ throws in
                try streamWithContext(Probe { try Current.g["id"] as? String })
            }
            #expect(try context.g["id"] as? String == "own")
            #expect(context.appContext?.app === self.desk.app)
            return stream
        }
        var iterator = stream.makeAsyncIterator()
        #expect(try await iterator.next() == "own")
        #expect(try await iterator.next() == nil)
        #expect(try await iterator.next() == nil, "an iterator that has ended stays at its end")
    }

    @Test("A receiver that refuses the push leaves no stream and nothing to end.")
    func refused() throws {
        try self.desk.logHooks(self.log, app: ["app"])
        try withRequestContext(self.desk.app, get("/")) { _ throws in
            let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in throw Boom() }
            defer { Signals.appContextPushed.disconnect(connection) }
            #expect(throws: Boom.self) { _ = try streamWithContext([1]) }
        }
        #expect(self.log.lines == ["app ok"])
    }

    @Test("A dispatched view may stream: the response is there at once, teardown comes with the last element.")
    func dispatched() async throws {
        try self.desk.logHooks(self.log, request: ["request"])
        let streams = Streams()
        try self.desk.app.route("/report") { _ in
            streams.keep(try streamWithContext([1, 2]))
            return "streaming"
        }
        #expect(try await self.desk.app.dispatch(get("/report")).text == "streaming")
        #expect(self.log.lines.isEmpty)
        #expect(streams.drain() == [1, 2])
        #expect(self.log.lines == ["request ok"])
    }
}

/// Keeps the stream that a view made.
private final class Streams: Sendable {
    private let state = Mutex<ContextSequence<[Int]>?>(nil)

    func keep(_ stream: ContextSequence<[Int]>) { self.state.withLock { $0 = stream } }

    func drain() -> [Int] { self.state.withLock { $0.take().map(Array.init) ?? [] } }
}

/// Gives one value, computed when it is asked for.
private struct Probe<Value: Sendable>: AsyncSequence, Sendable {
    let value: @Sendable () throws -> Value

    init(_ value: @escaping @Sendable () throws -> Value) {
        self.value = value
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        var value: (@Sendable () throws -> Value)?

        mutating func next() async throws -> Value? {
            defer { self.value = nil }
            return try self.value?()
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(value: self.value) }
}
