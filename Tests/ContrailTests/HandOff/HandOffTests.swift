// Hand-off to Dispatch, to threads and to detached tasks: they see what they borrow, and end nothing.

import ContextVariables
import Contrail
import ContrailRecorder
import Dispatch
import Foundation
import Testing

@Suite("Hand-off helpers")
struct HandOffTests {
    private let desk = Desk()
    private let log = Log()

    /// A snapshot whose owner has ended.
    private func lateSnapshot() throws -> ContextSnapshot {
        try withRequestContext(self.desk.app, get()) { _ throws in try ContextSnapshot("late") }
    }

    // MARK: - Dispatch

    @Test("Work that a queue runs sees the borrowed contexts, on the queue, and its group is left after it.")
    func queue() async throws {
        let queue = DispatchQueue(label: "work")
        let log = self.log
        try await withRequestContext(self.desk.app, get()) { request async throws in
            let snapshot = try ContextSnapshot("work")
            let group = DispatchGroup()
            queue.async(in: snapshot, group: group) {
                dispatchPrecondition(condition: .onQueue(queue))
                #expect(Current.requestContext === request)
                log.add("work")
            }
            await withCheckedContinuation { continuation in
                group.notify(queue: queue) { continuation.resume() }
            }
            #expect(log.lines == ["work"])
        }
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("sync gives the work's result and its error, and the contexts around the caller are back afterwards.")
    func queueSync() throws {
        let queue = DispatchQueue(label: "work")
        let other = Desk("other")
        try withRequestContext(self.desk.app, get()) { request throws in
            let snapshot = try ContextSnapshot("work")
            try withAppContext(other.app) { inner throws in
                #expect(try queue.sync(in: snapshot) { Current.context === request.appContext })
                #expect(throws: Boom.self) { try queue.sync(in: snapshot) { throw Boom() } }
                #expect(Current.context === inner)
            }
        }
    }

    @Test("After the owner's end a queue runs none of it: async tells the refused closure, sync throws.")
    func queueOutlived() async throws {
        let queue = DispatchQueue(label: "work")
        let snapshot = try self.lateSnapshot()
        let error: any Error = await withCheckedContinuation { continuation in
            queue.async(in: snapshot) {
                Issue.record("ran")
            } refused: { error in
                #expect(Current.context == nil)
                continuation.resume(returning: error)
            }
        }
        #expect((error as? ContextError)?.code == .borrowOutlived)
        queue.async(in: snapshot) { Issue.record("ran") }
        #expect(code { try queue.sync(in: snapshot) { _ = Issue.record("ran") } } == .borrowOutlived)
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == Array(repeating: .borrowOutlived, count: 3))
        #expect(problems.allSatisfy { $0.event.context == 2 })
    }

    // MARK: - Threads

    @Test("A thread sees the borrowed contexts, and runs no hook when it ends.")
    func thread() async throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        let log = self.log
        try await withRequestContext(self.desk.app, get()) { request async throws in
            let snapshot = try ContextSnapshot("work")
            let seen = await withCheckedContinuation { continuation in
                Thread.detachNewThread(in: snapshot) {
                    #expect(!ExecutionID.isInTask)
                    continuation.resume(returning: Current.requestContext === request)
                }
            }
            #expect(seen)
            log.add("body")
        }
        #expect(self.log.lines == ["body", "r ok", "a ok"])
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("After the owner's end a thread runs the refused closure only.")
    func threadOutlived() async throws {
        let snapshot = try self.lateSnapshot()
        let error: any Error = await withCheckedContinuation { continuation in
            Thread.detachNewThread(in: snapshot) {
                Issue.record("ran")
            } refused: { error in
                continuation.resume(returning: error)
            }
        }
        #expect((error as? ContextError)?.code == .borrowOutlived)
        #expect(self.desk.events().problems.map(\.problem.kind) == [.borrowOutlived])
    }

    // MARK: - Tasks

    @Test("A detached task sees the borrowed contexts across its suspensions, and gives its result.")
    func detached() async throws {
        try await withRequestContext(self.desk.app, get()) { request async throws in
            let snapshot = try ContextSnapshot("work")
            let task = snapshot.detached(name: "work", priority: .high) {
                await Task.yield()
                return (Current.requestContext === request, Task.name)
            }
            let (isSeen, name) = try await task.value
            #expect(isSeen)
            #expect(name == "work")
            await #expect(throws: Boom.self) { try await snapshot.detached { throw Boom() }.value }
        }
    }

    @Test("A detached task is not cancelled with the request that started it.")
    func detachedCancellation() async throws {
        let started = Gate()
        let goOn = Gate()
        let owner = Task {
            try await withRequestContext(self.desk.app, get()) { _ async throws in
                let work = try ContextSnapshot("work").detached { () -> Bool in
                    await goOn.wait()
                    return Task.isCancelled
                }
                started.open()
                return try await work.value
            }
        }
        await started.wait()
        owner.cancel()
        goOn.open()
        #expect(try await owner.value == false)
    }

    @Test("After the owner's end a detached task throws borrowOutlived without running.")
    func detachedOutlived() async throws {
        let snapshot = try self.lateSnapshot()
        #expect(await code { try await snapshot.detached { _ = Issue.record("ran") }.value } == .borrowOutlived)
        #expect(self.desk.events().problems.map(\.problem.kind) == [.borrowOutlived])
    }

    // MARK: - Many at once

    @Test("One hand-off serves sixty-four threads, sixty-four tasks and a concurrent queue at once.")
    func manyWorkers() async throws {
        let variable = ContextVariable("n", default: 0)
        let queue = DispatchQueue(label: "work", attributes: .concurrent)
        let arrived = Counter()
        let everybody = Gate()
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try await withRequestContext(self.desk.app, get()) { request async throws in
            let snapshot = try ContextSnapshot("work")
            await withTaskGroup { group in
                for number in 1...64 {
                    group.addTask {
                        await withCheckedContinuation { continuation in
                            // No thread waits for another here: each sets its own, and reads it after the others did.
                            Thread.detachNewThread(in: snapshot) {
                                _ = try? variable.set(number)
                                if arrived.next() == 128 { everybody.open() }
                                everybody.waitOnThread()
                                #expect((try? variable.get()) == number)
                                (try? Current.g)?["thread \(number)"] = number
                                continuation.resume()
                            }
                        }
                    }
                    group.addTask {
                        let task = snapshot.detached {
                            try variable.set(-number)
                            if arrived.next() == 128 { everybody.open() }
                            await everybody.wait()
                            #expect(try variable.get() == -number)
                            try Current.g["task \(number)"] = number
                        }
                        await #expect(throws: Never.self) { try await task.value }
                    }
                    group.addTask {
                        await withCheckedContinuation { continuation in
                            queue.async(in: snapshot) {
                                (try? Current.g)?["queue \(number)"] = number
                                continuation.resume()
                            }
                        }
                    }
                }
                await group.waitForAll()
            }
            #expect(try request.g.names.count == 192)
            #expect(self.log.lines.isEmpty)
        }
        #expect(self.log.lines == ["r ok", "a ok"])
        #expect(self.desk.events().problems.isEmpty)
    }
}
