// Callbacks of futures that borrow the contexts of a request.

import Contrail
import ContrailHummingbird
import NIOCore
import NIOPosix
import Testing

@Suite("Futures in a borrowed context")
struct EventLoopFutureTests {
    private struct Boom: Error {}

    private let desk = Desk()

    @Test("A plain callback sees no context, mapInContext sees the borrowed one, on the event loop.")
    func map() async throws {
        try await withEventLoops { group async throws in
            let loop = group.next()
            try await self.desk.request { request, snapshot async throws in
                let plain = try await loop.makeSucceededFuture(20).map { _ in Current.requestContext == nil }.get()
                #expect(plain)
                let seen = try await loop.makeSucceededFuture(20)
                    .mapInContext(snapshot) { value in
                        #expect(loop.inEventLoop)
                        #expect(Current.requestContext === request)
                        return value + 1
                    }
                    .get()
                #expect(seen == 21)
            }
        }
        #expect(self.desk.problems().isEmpty)
    }

    @Test("flatMapInContext goes on with the callback's future; what the callback throws fails it.")
    func flatMap() async throws {
        try await withEventLoops { group async throws in
            let loop = group.next()
            try await self.desk.request { request, snapshot async throws in
                let start = loop.makeSucceededFuture(1)
                let next = start.flatMapInContext(snapshot) { value in
                    #expect(Current.requestContext === request)
                    return loop.submit { value + 1 }
                }
                let value = try await next.get()
                #expect(value == 2)
                let failed = start.flatMapInContext(snapshot) { _ -> EventLoopFuture<Int> in throw Boom() }
                await #expect(throws: Boom.self) { try await failed.get() }
            }
        }
    }

    @Test("whenCompleteInContext calls back once, with the result, in the context.")
    func whenComplete() async throws {
        try await withEventLoops { group async throws in
            let loop = group.next()
            try await self.desk.request { request, snapshot async throws in
                let seen: Bool = await withCheckedContinuation { continuation in
                    let failed: EventLoopFuture<Int> = loop.makeFailedFuture(Boom())
                    failed.whenCompleteInContext(snapshot) { result in
                        var failed = false
                        if case .failure(let error) = result { failed = error is Boom }
                        continuation.resume(returning: failed && Current.requestContext === request)
                    }
                }
                #expect(seen)
            }
        }
    }

    @Test(
        "After the owner's end no callback runs in its place: the futures fail with borrowOutlived, each with a problem."
    )
    func outlived() async throws {
        try await withEventLoops { group async throws in
            let loop = group.next()
            let snapshot = try await self.desk.request { _, snapshot in snapshot }
            let start = loop.makeSucceededFuture(1)
            #expect(
                await code { try await start.mapInContext(snapshot) { _ in Issue.record("ran") }.get() }
                    == .borrowOutlived
            )
            let flat = start.flatMapInContext(snapshot) { value in
                Issue.record("ran")
                return loop.makeSucceededFuture(value)
            }
            #expect(await code { try await flat.get() } == .borrowOutlived)
            let told = await code {
                try await withCheckedThrowingContinuation { continuation in
                    start.whenCompleteInContext(snapshot) { continuation.resume(with: $0) }
                }
            }
            #expect(told == .borrowOutlived)
        }
        #expect(self.desk.problems() == Array(repeating: "borrow_outlived 2", count: 3))
    }

    @Test("One hand-off serves sixty-four callbacks on four event loops, and no hook of the owner runs there.")
    func manyWorkers() async throws {
        let torn = Counter()
        try self.desk.app.teardownRequest { _, _ in torn.next() }
        try await withEventLoops(4) { group async throws in
            try await self.desk.request { request, snapshot async throws in
                let futures = (1...64).map { number in
                    group.next().makeSucceededFuture(number)
                        .mapInContext(snapshot) { (number: Int) in try Current.g["\(number)"] = number }
                }
                for future in futures { try await future.get() }
                #expect(try request.g.names.count == 64)
                #expect(torn.value == 0)
            }
        }
        #expect(torn.value == 1)
        #expect(self.desk.problems().isEmpty)
    }
}
