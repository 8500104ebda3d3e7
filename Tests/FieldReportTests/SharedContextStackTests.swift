// Threads share the stack on which a helper notes its pushes: under load, one pops what another pushed.

import Contrail
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("Shared context stacks")
struct SharedContextStackTests {
    /// What a URL helper uses when no context is there: one object for the whole process, which notes its pushes in itself.
    private final class AutoContext: Sendable {
        static let pushLine = #line + 10
        static let popLine = #line + 16

        private let app: App
        private let pushed = Mutex<[AppContext]>([])

        init(_ app: App) { self.app = app }

        func push() throws {
            let context = AppContext(self.app)
            try context.push()
            self.pushed.withLock { $0.append(context) }
        }

        func pop() throws {
            guard let context = self.pushed.withLock({ $0.popLast() }) else { return }
            do {
                try context.pop()
            } catch {
                // A refused pop changed nothing: whoever pushed it may still pop it.
                self.pushed.withLock { $0.insert(context, at: 0) }
                throw error
            }
        }
    }

    /// Two threads build a URL at once: both push, then the first pops. Gives the error of that.
    private func overlap(_ push: @escaping @Sendable () throws -> Void, _ pop: @escaping @Sendable () throws -> Void)
        async throws -> ContextError.Code?
    {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        let firstPushed = ThreadGate()
        let secondPushed = ThreadGate()
        let firstPopped = ThreadGate()
        async let second: Void = pool.runIfActive {
            firstPushed.wait()
            try push()
            secondPushed.open()
            firstPopped.wait()
            try pop()
        }
        let refused = try await pool.runIfActive {
            try push()
            firstPushed.open()
            secondPushed.wait()
            defer { firstPopped.open() }
            let refused = code { try pop() }
            // The own context was not touched by the refusal, and is next.
            if refused != nil { try pop() }
            return refused
        }
        try await second
        try await pool.shutdownGracefully()
        return refused
    }

    @Test("ckan/ckan#4431: the pop of another thread's context is refused, and names both contexts and both places")
    func fault() async throws {
        let service = try Service("data")
        let auto = AutoContext(service.app)
        let refused = try await self.overlap({ try auto.push() }, { try auto.pop() })
        #expect(refused == .foreignPop)

        let contexts = try await service.appContexts()
        #expect(contexts.count == 2)
        let (first, second) = try (#require(contexts.first), #require(contexts.last))
        #expect(first.worker != second.worker)
        let popped = try await service.problems("foreign_pop")
        #expect(popped.count == 1)
        #expect(popped.first?.context == second.id)
        #expect(popped.first?.otherContext == first.id)
        #expect(popped.first?.owner == second.worker)
        #expect(popped.first?.reader == first.worker)
        #expect(popped.first?.site == place(AutoContext.popLine))
        #expect(popped.first?.ownerSite == place(AutoContext.pushLine))
        #expect(popped.first?.age ?? 0 > 0)
        // Without collateral damage: both could still be popped by their owners.
        #expect(contexts.map(\.outcome) == ["ok", "ok"])
    }

    @Test("ckan/ckan#4431, repaired: each call has a context of its own, entered and left by the closure")
    func repaired() async throws {
        let service = try Service("data")
        try await withThrowingTaskGroup(of: Void.self) { group in
            let pool = NIOThreadPool(numberOfThreads: 2)
            pool.start()
            for _ in 0..<64 {
                group.addTask {
                    try await pool.runIfActive { withAppContext(service.app) { #expect(Current.context === $0) } }
                }
            }
            try await group.waitForAll()
            try await pool.shutdownGracefully()
        }
        #expect(try await service.appContexts().count == 64)
        #expect(try await service.problemCount() == 0)
    }

    @Test("ckan/ckan#4431: one request context that threads push at once keeps their app contexts apart by itself")
    func sharedRequest() async throws {
        let service = try Service("data")
        let shared = App.RequestContext(service.app, get("/auto"))
        let refused = try await self.overlap({ try shared.push() }, { try shared.pop() })
        #expect(refused == nil)
        #expect(try await service.appContexts().map(\.outcome) == ["ok", "ok"])
        #expect(try await service.problemCount() == 0)
    }
}
