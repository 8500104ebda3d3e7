// Many tasks, random programs of contexts, and what must be true of the trail afterwards.

import ContextVariables
import Contrail
import ContrailRecorder
import TestSupport
import Testing

@Suite("Stress")
struct StressTests {
    private struct Program: Sendable {
        let desks: [Desk]
        let cache: RecyclableVariable<Int>
        let variable: ContextVariable<Int>

        nonisolated(nonsending) func run(_ random: inout SeededRandom, depth: Int) async throws {
            let desk = self.desks[Int.random(in: 0..<self.desks.count, using: &random)]
            let seed = random.next()
            switch Int.random(in: 0..<8, using: &random) {
            case 0, 1:
                try await withAppContext(desk.app) { context async throws in
                    try await self.inside(desk, context, seed, depth)
                    if Current.context !== context { Issue.record("seed \(seed): the app context is not current") }
                }
            case 2, 3:
                let worker = Worker(kind: "conn", number: Int64(seed % 4))
                try await withRequestContext(desk.app, get(), worker: worker) { request async throws in
                    try await self.inside(desk, request.appContext, seed, depth)
                    if Current.requestContext !== request { Issue.record("seed \(seed): the request is not current") }
                }
            case 4:
                try? await withAppContext(desk.app) { _ async throws in
                    try await self.inside(desk, nil, seed, depth)
                    throw Boom()
                }
            case 5:
                try await withAppContext(desk.app) { _ async throws in
                    let request = App.RequestContext(desk.app, get())
                    try request.push()
                    try await self.inside(desk, request.appContext, seed, depth)
                    if seed % 4 != 0 { try await request.pop() }
                }
            case 6:
                try await withAppContext(desk.app) { _ async throws in
                    let snapshot = try ContextSnapshot("stress")
                    try await Task.detached {
                        try await snapshot.run { () async throws in try await self.inside(desk, nil, seed, depth) }
                    }.value
                }
            default:
                try await onThread {
                    let context = AppContext(desk.app)
                    try context.push()
                    context.g["n"] = 1
                    try context.pop()
                }
            }
        }

        private nonisolated(nonsending) func inside(
            _ desk: Desk,
            _ context: AppContext?,
            _ seed: UInt64,
            _ depth: Int
        ) async throws {
            var random = SeededRandom(seed: seed)
            context?.g["key\(random.next() % 3)"] = Int(truncatingIfNeeded: random.next())
            try self.variable.set(Int(truncatingIfNeeded: seed))
            _ = try await self.cache.getOrLoad {
                await Task.yield()
                return 1
            }
            if random.next() % 4 == 0 { self.cache.invalidate() }
            guard depth > 0 else { return }
            let seeds = [random.next(), random.next()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in seeds {
                    group.addTask {
                        var random = SeededRandom(seed: seed)
                        try await self.run(&random, depth: depth - 1)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("Every push has its pop, every lifetime one number and one teardown.", .timeLimit(.minutes(1)))
    func trail() async throws {
        let seed = UInt64.random(in: .min ... .max)
        print("contexts, seed \(seed)")
        let program = Program(
            desks: [Desk("one"), Desk("two")],
            cache: RecyclableVariable("cache"),
            variable: ContextVariable("n", default: 0)
        )
        for desk in program.desks {
            try desk.app.teardownAppContext("hook") { _, _ in }
            try desk.app.teardownAppContext("async") { _, _ async in await Task.yield() }
            try desk.app.teardownRequest("hook") { _, _ in }
        }
        // A pop on a bare thread is synchronous; with an async hook of its app it would be refused.
        let threads = Program(desks: [Desk("three")], cache: program.cache, variable: program.variable)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<24 {
                group.addTask {
                    var random = SeededRandom(seed: seed &+ UInt64(number))
                    for _ in 0..<4 {
                        let chosen = random.next() % 2 == 0 ? program : threads
                        do {
                            try await chosen.run(&random, depth: 2)
                        } catch let error as ContextError where error.code == .asyncHooks {
                            continue
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        for desk in program.desks + threads.desks {
            self.check(await self.allEvents(of: desk), desk.recorder, "seed \(seed)")
        }
    }

    /// The events up to the last pop: a synchronous closure leaves async hooks to a housekeeping task, which may take a while.
    private func allEvents(of desk: Desk) async -> [TrailEvent] {
        let deadline = ContinuousClock.now + .seconds(20)
        var events = desk.events()
        while events.pushes.count > events.pops.count, ContinuousClock.now < deadline {
            await Task.yield()
            events += desk.events()
        }
        return events
    }

    private func check(_ events: [TrailEvent], _ recorder: FlightRecorder, _ seed: Comment) {
        #expect(recorder.accounting.dropped == 0, seed)
        #expect(events.map(\.seq).sorted() == (0..<events.count).map { UInt64($0) + 1 }, seed)
        let pushes = Dictionary(grouping: events.pushes) { $0.event.context }
        let pops = Dictionary(grouping: events.pops) { $0.event.context }
        #expect(!pushes.keys.contains(nil), seed)
        #expect(Set(pushes.keys) == Set(pops.keys), seed)
        for (context, pushes) in pushes {
            #expect(pushes.count { $0.push.depth == 1 } == 1, seed)
            #expect(pops[context]?.count == pushes.count, seed)
            #expect(pops[context]?.count { $0.pop.remaining == 0 } == 1, seed)
        }
        let hooks = Dictionary(grouping: events.filter { $0.kind == .teardown }) { $0.context }
        let requests = Set(events.filter { $0.kind == .requestPush }.map(\.context))
        if !hooks.isEmpty {
            for context in pushes.keys { #expect(hooks[context]?.count == (requests.contains(context) ? 1 : 2), seed) }
        }
    }
}
