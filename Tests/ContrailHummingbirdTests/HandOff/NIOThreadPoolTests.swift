// Blocking work on pool threads that borrows the contexts of a request.

import ContextVariables
import Contrail
import ContrailHummingbird
import NIOCore
import NIOPosix
import Testing

@Suite("Thread pools in a borrowed context")
struct NIOThreadPoolTests {
    private let desk = Desk()

    private func withPool(_ threads: Int, _ body: (NIOThreadPool) async throws -> Void) async throws {
        let pool = NIOThreadPool(numberOfThreads: threads)
        pool.start()
        do {
            try await body(pool)
        } catch {
            try await pool.shutdownGracefully()
            throw error
        }
        try await pool.shutdownGracefully()
    }

    @Test("Work on a pool thread sees the borrowed contexts; the next work there does not.")
    func borrow() async throws {
        try await self.withPool(1) { pool async throws in
            try await self.desk.request { request, snapshot async throws in
                #expect(try await pool.runIfActiveInContext(snapshot) { Current.requestContext === request })
                #expect(try await pool.runIfActive { Current.requestContext == nil })
            }
        }
        #expect(self.desk.problems().isEmpty)
    }

    @Test("With an event loop it gives a future, which fails with what the work throws.")
    func future() async throws {
        struct Boom: Error {}
        try await withEventLoops { group async throws in
            try await self.withPool(1) { pool async throws in
                try await self.desk.request { request, snapshot async throws in
                    let loop = group.next()
                    let seen = pool.runIfActiveInContext(snapshot, eventLoop: loop) {
                        Current.requestContext === request
                    }
                    let isSeen = try await seen.get()
                    #expect(isSeen)
                    let failed = pool.runIfActiveInContext(snapshot, eventLoop: loop) { throw Boom() }
                    await #expect(throws: Boom.self) { try await failed.get() }
                }
            }
        }
    }

    @Test("After the owner's end the work does not run, and both forms say borrowOutlived.")
    func outlived() async throws {
        try await withEventLoops { group async throws in
            try await self.withPool(1) { pool async throws in
                let snapshot = try await self.desk.request { _, snapshot in snapshot }
                #expect(
                    await code { try await pool.runIfActiveInContext(snapshot) { Issue.record("ran") } }
                        == .borrowOutlived
                )
                let future = pool.runIfActiveInContext(snapshot, eventLoop: group.next()) { Issue.record("ran") }
                #expect(await code { try await future.get() } == .borrowOutlived)
            }
        }
        #expect(self.desk.problems() == ["borrow_outlived 2", "borrow_outlived 2"])
    }

    @Test("One hand-off serves sixty-four pool threads at once, each with variables of its own.")
    func manyWorkers() async throws {
        let variable = ContextVariable("n", default: 0)
        try await self.withPool(64) { pool async throws in
            try await self.desk.request { request, snapshot async throws in
                let arrived = Counter()
                let everybody = ThreadGate()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 1...64 {
                        group.addTask {
                            try await pool.runIfActiveInContext(snapshot) {
                                try variable.set(number)
                                if arrived.next() == 64 { everybody.open() }
                                everybody.wait()
                                #expect(try variable.get() == number)
                                try Current.g["\(number)"] = number
                            }
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(try request.g.names.count == 64)
            }
        }
        #expect(self.desk.problems().isEmpty)
    }
}
