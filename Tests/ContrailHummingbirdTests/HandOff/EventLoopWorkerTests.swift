// Event loops as workers.

import ContextVariables
import Contrail
import ContrailHummingbird
import NIOCore
import NIOPosix
import Testing

@Suite("Event loops as workers")
struct EventLoopWorkerTests {
    @Test("A loop is one worker from any thread, and no two loops share one.")
    func identity() async throws {
        try await withEventLoops(4) { group async throws in
            let loops = Array(group.makeIterator())
            for loop in loops {
                let own = loop.contextWorker
                #expect(own === loop.contextWorker)
                let seen = try await loop.submit { loop.contextWorker }.get()
                #expect(seen === own)
                #expect(own.name.kind == "loop")
            }
            #expect(Set(loops.map(\.contextWorker.name)).count == loops.count)
        }
    }

    @Test("Loops that follow one another do not share a worker.")
    func generations() async throws {
        var names: Set<Worker.Name> = []
        for _ in 0..<16 {
            try await withEventLoops { group in names.insert(group.next().contextWorker.name) }
        }
        #expect(names.count == 16)
    }

    @Test("Units of work on a loop are kept apart by recycling its worker.")
    func recycling() async throws {
        let cache = RecyclableVariable<Int>("cache")
        let app = App("orders")
        try await withEventLoops { group async throws in
            let loop = group.next()
            let worker = loop.contextWorker
            let first = try await loop.submit {
                try withAppContext(app, worker: worker) { _ throws in
                    try cache.set(1)
                    return cache.get(default: 0)
                }
            }
            .get()
            #expect(first == 1)
            app.recycle(worker)
            let second = try await loop.submit { withAppContext(app, worker: worker) { _ in cache.get(default: 0) } }
                .get()
            #expect(second == 0)
        }
    }
}
