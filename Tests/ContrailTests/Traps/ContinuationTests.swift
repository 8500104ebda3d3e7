// Continuations: whoever resumes a task, and wherever, its contexts are its own.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import Testing

@Suite("Continuations")
struct ContinuationTests {
    private let desk = Desk()

    @Test("A continuation that a Dispatch queue resumes goes on in its own context.")
    func resumedByDispatch() async {
        await withRequestContext(self.desk.app, get()) { request async in
            let seenThere: Bool = await withCheckedContinuation { continuation in
                DispatchQueue.global().async { continuation.resume(returning: Current.context == nil) }
            }
            #expect(seenThere)
            #expect(Current.requestContext === request)
        }
    }

    @Test("The contexts of the thread that resumes do not reach the task, nor the task's the thread.")
    func resumedByThread() async throws {
        let other = Desk("other")
        let desk = self.desk
        try await withAppContext(desk.app) { context async throws in
            let resumed = Counter()
            let threadSawItsOwn: Bool = try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    let own = AppContext(other.app)
                    do {
                        try own.push()
                        resumed.next()
                        continuation.resume(returning: Current.context === own)
                        try own.pop()
                    } catch {
                        if resumed.value == 0 { continuation.resume(throwing: error) }
                    }
                }
            }
            #expect(threadSawItsOwn)
            #expect(Current.context === context)
            context.g["n"] = 1
        }
        #expect(desk.events().outcomes == [.ok])
    }

    @Test("A task may push by hand before a suspension and pop after it, whichever thread goes on.")
    func pushAcrossSuspension() async throws {
        try await withAppContext(self.desk.app) { _ async throws in
            let pushed = App.RequestContext(self.desk.app, get())
            try pushed.push()
            for _ in 0..<20 {
                await withCheckedContinuation { continuation in
                    Thread.detachNewThread { continuation.resume() }
                }
                #expect(Current.requestContext === pushed)
            }
            try await pushed.pop()
        }
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A stream's consumer keeps its context, and its termination runs in that of whoever ends it.")
    func stream() async {
        let (log, other) = (Log(), Desk("other"))
        let (stream, continuation) = AsyncStream.makeStream(of: Int.self)
        continuation.onTermination = { _ in log.add("ended by \((try? Current.app.name) ?? "none")") }
        let producer = Task.detached {
            withAppContext(other.app) { _ in
                for number in 0..<3 { continuation.yield(number) }
                continuation.finish()
            }
        }
        await withAppContext(self.desk.app) { context async in
            for await number in stream { log.add("\(number) \(Current.context === context)") }
        }
        await producer.value
        #expect(Set(log.lines) == ["0 true", "1 true", "2 true", "ended by other"])
    }
}
