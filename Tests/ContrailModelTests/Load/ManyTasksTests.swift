// Many tasks with many contexts each: afterwards nothing is alive, nothing is open, and there was no problem.

import ContextVariables
import Contrail
import ContrailRecorder
import HTTPTypes
import Synchronization
import TestSupport
import Testing

@Suite("Many tasks")
struct ManyTasksTests {
    /// How many contexts each of the 64 tasks opens at least: 100, or what the environment says.
    private static let contexts = Size.of("CONTRAIL_TASK_CONTEXTS", otherwise: 100)
    private static let tasks = 64

    /// What is alive: counted by values that live in `g` and in variables, and by weak references to contexts.
    private final class Census: Sendable {
        let alive = Atomic<Int>(0)
        let made = Atomic<Int>(0)
        let pushes = Atomic<Int>(0)
        private let contexts = Mutex<[WeakContext]>([])

        struct WeakContext: Sendable {
            weak let context: AppContext?
            weak let request: App.RequestContext?
            weak let g: NamespaceStorage?

            var isAlive: Bool { self.context != nil || self.request != nil || self.g != nil }
        }

        /// Follows a context, one of a hundred: weak references are costly.
        func follow(_ context: AppContext, _ request: App.RequestContext?) {
            guard self.made.add(1, ordering: .relaxed).newValue % 100 == 1 else { return }
            self.contexts.withLock { $0.append(WeakContext(context: context, request: request, g: context.g.storage)) }
        }

        var followed: (all: Int, alive: Int) {
            self.contexts.withLock { ($0.count, $0.count(where: \.isAlive)) }
        }
    }

    /// Counts as alive until it dies.
    private final class Counted: Sendable {
        private let census: Census

        init(_ census: Census) {
            self.census = census
            census.alive.add(1, ordering: .relaxed)
        }

        deinit { self.census.alive.subtract(1, ordering: .relaxed) }
    }

    private struct Load: Sendable {
        let apps: [App]
        let census: Census
        let variable: ContextVariable<Int>
        let cache: RecyclableVariable<Counted>

        /// Runs contexts until so many have been pushed.
        func run(_ task: Int) async throws {
            let worker = Worker(kind: "conn", number: Int64(task))
            var random = SeededRandom(seed: UInt64(task))
            var pushed = 0
            while pushed < ManyTasksTests.contexts {
                let app = self.apps[Int.random(in: 0..<2, using: &random)]
                switch Int.random(in: 0..<8, using: &random) {
                case 0: pushed += try self.sync(app)
                case 1: pushed += try await self.async(app)
                case 2: pushed += try await self.nested(app, worker)
                case 3: pushed += try await self.borrowedByChildren(app)
                case 4: pushed += try await self.handedOff(app, worker)
                case 5: pushed += try await self.byHand(app)
                case 6: pushed += try await self.failing(app)
                default: pushed += try await self.twoApps(worker)
                }
            }
            self.census.pushes.add(pushed, ordering: .relaxed)
        }

        private func sync(_ app: App) throws -> Int {
            try withAppContext(app) { context throws in
                try self.fill(context, nil)
                return 1
            }
        }

        private func async(_ app: App) async throws -> Int {
            try await withAppContext(app) { context async throws in
                try self.fill(context, nil)
                await Task.yield()
                try self.check(context)
                return 1
            }
        }

        private func nested(_ app: App, _ worker: Worker) async throws -> Int {
            try await withRequestContext(app, ManyTasksTests.get, worker: worker) { outer async throws in
                try self.fill(outer.appContext, outer)
                _ = try await self.cache.getOrLoad { Counted(self.census) }
                let value = try self.cache.get()
                try await withRequestContext(app, ManyTasksTests.get, worker: worker) { inner async throws in
                    try self.fill(inner.appContext, inner)
                    #expect(self.cache.miss != nil)
                    await Task.yield()
                    #expect(Current.requestContext === inner)
                }
                #expect(try self.cache.get() === value)
                #expect(Current.requestContext === outer)
                return 3
            }
        }

        private func borrowedByChildren(_ app: App) async throws -> Int {
            try await withRequestContext(app, ManyTasksTests.get) { request async throws in
                try self.fill(request.appContext, request)
                async let child: Void = self.check(request.appContext)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            try self.check(request.appContext)
                            try await withAppContext(app) { context async throws in try self.fill(context, nil) }
                        }
                    }
                    try await group.waitForAll()
                }
                try await child
                return 4
            }
        }

        private func handedOff(_ app: App, _ worker: Worker) async throws -> Int {
            try await withRequestContext(app, ManyTasksTests.get, worker: worker) { request async throws in
                try self.fill(request.appContext, request)
                let snapshot = try ContextSnapshot("work")
                try await Task.detached {
                    try await snapshot.run { () async throws in
                        try self.check(request.appContext)
                        try self.variable.set(-1)
                        try withRequestContext(app, ManyTasksTests.get) { inner throws in
                            try self.fill(inner.appContext, inner)
                        }
                    }
                }.value
                try self.check(request.appContext)
                return 3
            }
        }

        private func byHand(_ app: App) async throws -> Int {
            try await withAppContext(app) { outer async throws in
                let request = App.RequestContext(app, ManyTasksTests.get)
                try request.push()
                try self.fill(outer, request)
                let context = AppContext(app)
                try context.push()
                try self.fill(context, nil)
                await Task.yield()
                try await context.pop()
                try await request.pop()
                #expect(Current.context === outer)
                return 3
            }
        }

        private func failing(_ app: App) async throws -> Int {
            do {
                return try await withRequestContext(app, ManyTasksTests.get) { request async throws in
                    try self.fill(request.appContext, request)
                    throw CancellationError()
                }
            } catch is CancellationError {
                return 2
            }
        }

        private func twoApps(_ worker: Worker) async throws -> Int {
            try await withRequestContext(self.apps[0], ManyTasksTests.get, worker: worker) { outer async throws in
                try await withRequestContext(self.apps[1], ManyTasksTests.get, worker: worker) { inner async throws in
                    try self.fill(inner.appContext, inner)
                    try self.check(inner.appContext)
                    #expect(inner.appContext !== outer.appContext)
                }
                return 4
            }
        }

        private func fill(_ context: AppContext?, _ request: App.RequestContext?) throws {
            guard let context else { throw ManyTasksTests.Missing() }
            context.g["value"] = Counted(self.census)
            self.census.follow(context, request)
            try self.variable.set(ObjectIdentifier(context).hashValue)
            try self.check(context)
        }

        private func check(_ context: AppContext?) throws {
            guard let context, Current.context === context, try self.variable.get() != 0 else {
                throw ManyTasksTests.Missing()
            }
            if try Current.g.get("value", as: Counted.self) !== context.g["value"] as? Counted {
                throw ManyTasksTests.Missing()
            }
        }
    }

    private struct Missing: Error {}

    private static let get = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")

    @Test(
        "64 tasks of mixed contexts leave nothing alive, nothing open and no problem.",
        .timeLimit(.minutes(30))
    )
    func nothingIsLeft() async throws {
        let recorder = FlightRecorder(configuration: .init(capacity: Self.contexts > 100 ? 1_048_576 : 65_536))
        let drain = CountingDrain(recorder)
        let census = Census()
        try await self.work(recorder, census)
        let counts = drain.stop()
        #expect(recorder.accounting.dropped == 0)
        #expect(counts.problems.isEmpty)
        #expect(counts.open == 0)
        #expect(counts.count(.appPush) + counts.count(.requestPush) == census.pushes.load(ordering: .relaxed))
        #expect(counts.count(.appPush) == counts.count(.appPop))
        #expect(census.pushes.load(ordering: .relaxed) >= Self.tasks * Self.contexts)
        #expect(census.alive.load(ordering: .relaxed) == 0)
        let followed = census.followed
        #expect(followed.all >= Self.tasks * Self.contexts / 500)
        #expect(followed.alive == 0)
        print("\(census.pushes.load(ordering: .relaxed)) contexts in \(Self.tasks) tasks, \(followed.all) followed")
    }

    private func work(_ recorder: FlightRecorder, _ census: Census) async throws {
        let load = Load(
            apps: [App("one", recorder: recorder), App("two", recorder: recorder)],
            census: census,
            variable: ContextVariable("context"),
            cache: RecyclableVariable("cache")
        )
        for app in load.apps {
            try app.teardownAppContext { _, _ in }
            try app.teardownRequest { _, _ in }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 1...Self.tasks { group.addTask { try await load.run(task) } }
            try await group.waitForAll()
        }
    }
}
