// A per-thread instance is reset for each request instead of dropped, and what it memoized goes over to the next.

import Contrail
import NIOCore
import NIOPosix
import Testing

@Suite("Reused instances")
struct ReusedInstanceTests {
    /// `@account ||= …`: found once, kept with the context.
    private static let readLine = #line + 4
    private static let setLine = #line + 4

    private static func account(_ context: AppContext, _ find: () -> String) -> String? {
        if let found = context.g["account"] as? String { return found }
        context.g["account"] = find()
        return nil
    }

    @Test("rails/rails#55139: a value that outlived its request in a reused instance is found when the next reads it")
    func fault() async throws {
        let service = try Service()
        try await withPoolThread { pool in
            let current = AppContext(service.app)
            for (path, name, found) in [("/first", "alice", nil), ("/second", "bob", "alice")] {
                try await pool.runIfActive {
                    let request = App.RequestContext(service.app, get(path))
                    try current.push()
                    try request.push()
                    #expect(Self.account(current) { name } == found)
                    try request.pop()
                    try current.pop()
                }
            }
            let lifetimes = try await service.appContexts()
            #expect(lifetimes.count == 2)
            let read = try await service.problems("stale_read")
            #expect(read.count == 1)
            #expect(read.first?.context == lifetimes.first?.id)
            #expect(read.first?.otherContext == lifetimes.last?.id)
            #expect(read.first?.owner == lifetimes.first?.worker)
            #expect(read.first?.reader == lifetimes.last?.worker)
            #expect(read.first?.site == place(Self.readLine))
            #expect(read.first?.ownerSite == place(Self.setLine))
            #expect(read.first?.age ?? 0 > 0)
            #expect(read.first?.message.contains("account") == true)
        }
    }

    @Test("rails/rails#55139, repaired: the instance is dropped with its request, and the next begins with a new one")
    func repaired() async throws {
        let service = try Service()
        try await withPoolThread { pool in
            for name in ["alice", "bob"] {
                try await pool.runIfActive {
                    withAppContext(service.app) { current in
                        #expect(Self.account(current) { name } == nil)
                        #expect(Self.account(current) { "nobody" } == name)
                    }
                }
            }
        }
        #expect(try await service.appContexts().count == 2)
        #expect(try await service.problemCount() == 0)
    }
}
