// Callers on an actor: the closure runs where they are, with no hop, and the context follows calls to other actors.

import Contrail
import ContrailRecorder
import Dispatch
import Testing

@Suite("Actors")
struct ActorTests {
    private let desk = Desk()

    /// An executor that counts what it is given to run: each hop to its actor is one more.
    private final class CountingExecutor: SerialExecutor {
        let jobs = Counter()
        private let queue = DispatchQueue(label: "counting")

        func enqueue(_ job: consuming ExecutorJob) {
            self.jobs.next()
            let job = UnownedJob(job)
            self.queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
        }
    }

    private actor Clerk {
        nonisolated let executor = CountingExecutor()
        nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }
        private var seen: [String] = []

        /// Returns how often the actor was hopped to on the way in, and on the way in and out.
        func enterAndLeave(_ app: App) async throws -> (inward: Int, both: Int) {
            let before = self.executor.jobs.value
            var inward = 0
            try await withAppContext(app) { context async throws in
                self.seen.append("app")
                inward = self.executor.jobs.value - before
                try await withRequestContext(app, get()) { request async throws in
                    self.seen.append("request")
                    self.assertIsolated()
                    try #require(request.appContext === context)
                }
                try withRequestContextSync(app) { _ in self.seen.append("sync") }
            }
            #expect(self.seen == ["app", "request", "sync"])
            return (inward, self.executor.jobs.value - before)
        }

        /// The isolation that a closure form's closure has when it is entered here.
        func isolation(_ app: App) async -> ObjectIdentifier? {
            await withAppContext(app) { _ async in
                self.seen.append("isolation")
                return Self.isolation().map(ObjectIdentifier.init)
            }
        }

        private static func isolation(of caller: isolated (any Actor)? = #isolation) -> (any Actor)? { caller }

        func current() -> AppContext? { Current.context }

        func write(_ value: Int) throws { try Current.g["clerk"] = value }

        func open(_ app: App, _ ask: Clerk) async -> Bool {
            await withAppContext(app) { context async in await ask.current() === context }
        }
    }

    @Test("Entering and leaving on an actor does not hop, and its state is there to be changed.")
    func noHop() async throws {
        let hops = try await Clerk().enterAndLeave(self.desk.app)
        #expect(hops.inward == 0)
        #if DEBUG
        // Without the optimizer, closures that wrap the caller's hop once more on the way out.
        withKnownIssue { #expect(hops.both == 0) }
        #else
        #expect(hops.both == 0)
        #endif
        #expect(self.desk.events().outcomes == [.ok, .ok, .ok])
    }

    @Test("The closure's isolation is its caller's.")
    func isolation() async {
        let clerk = Clerk()
        #expect(await clerk.isolation(self.desk.app) == ObjectIdentifier(clerk))
    }

    @Test("A context follows the task to another actor and back.")
    func followsTheTask() async throws {
        let clerk = Clerk()
        try await withAppContext(self.desk.app) { context async throws in
            #expect(await clerk.current() === context)
            try await clerk.write(7)
            #expect(try context.g.get("clerk", as: Int.self) == 7)
        }
        #expect(await clerk.current() == nil)
    }

    @Test("Two tasks that meet on one actor each see their own context there.")
    func reentrancy() async {
        let (first, second, asked) = (Clerk(), Clerk(), Clerk())
        async let one = first.open(self.desk.app, asked)
        async let two = second.open(Desk("other").app, asked)
        #expect(await one)
        #expect(await two)
    }

    @MainActor
    @Test("A context that is entered on the main actor is current off it, and the other way round.")
    func mainActor() async {
        await withAppContext(self.desk.app) { context async in
            #expect(await Clerk().current() === context)
            MainActor.assertIsolated()
            #expect(Current.context === context)
        }
    }
}
