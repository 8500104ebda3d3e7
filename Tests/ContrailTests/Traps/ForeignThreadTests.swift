// Dispatch and threads: what runs there on behalf of a task sees nothing of it, unless it runs within the task's own call.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import Testing

@Suite("Foreign threads")
struct ForeignThreadTests {
    private let desk = Desk()

    @Test("A block that is given to a queue sees no context, no variable and no unit of the task that gave it.")
    func dispatchAsync() async {
        let variable = ContextVariable("n", default: 0)
        await withRequestContext(self.desk.app, get()) { _ async in
            await variable.withValue(1) {
                let seen: [Bool] = await withCheckedContinuation { continuation in
                    DispatchQueue.global().async {
                        continuation.resume(
                            returning: [
                                code { _ = try Current.app } == .outsideAppContext,
                                code { _ = try Current.request } == .outsideRequestContext,
                                variable.get(default: -1) == -1,
                            ]
                        )
                    }
                }
                #expect(seen == [true, true, true])
            }
        }
    }

    @Test("A block that a queue runs within the task's own call sees the task's context.")
    func dispatchSync() async {
        await withAppContext(self.desk.app) { context async in
            let queue = DispatchQueue(label: "sync")
            #expect(queue.sync { Current.context === context })
        }
    }

    @Test("A thread sees nothing of the task that starts it, and the error names the thread.")
    func thread() async throws {
        let message = try await withAppContext(self.desk.app) { _ async throws in
            try await onThread {
                let name = "\(ThreadState.current.worker)"
                do throws(ContextError) {
                    _ = try Current.app
                    return ""
                } catch {
                    return error.code == .outsideAppContext ? error.message.replacing(name, with: "THREAD") : ""
                }
            }
        }
        #expect(message.contains("THREAD"))
    }

    @Test("Blocks of many queues each open contexts of their own, and none sees another's.")
    func manyQueues() async throws {
        let (desk, wrong) = (self.desk, Counter())
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        DispatchQueue(label: "own").async {
                            let context = AppContext(desk.app)
                            do {
                                if Current.context != nil { wrong.next() }
                                try context.push()
                                if Current.context !== context { wrong.next() }
                                try context.pop()
                            } catch {
                                wrong.next()
                            }
                            continuation.resume()
                        }
                    }
                }
            }
        }
        #expect(wrong.value == 0)
        let events = desk.events()
        #expect(events.outcomes == Array(repeating: .ok, count: 16))
        #expect(events.problems.isEmpty)
    }
}
