// A worker replays captured variables before each job and never resets the tokens: the next job reads the last tenant's.

import ContextVariables
import Contrail
import NIOCore
import NIOPosix
import Testing

@Suite("Tokens never reset")
struct TokenNeverResetTests {
    private let tenant = ContextVariable<String>("tenant_id", default: "nobody")

    @Test(
        "langgenius/dify#35773: a variable that a job left set on its thread is found by the next, which does not see it"
    )
    func fault() async throws {
        let service = try Service("workflows")
        let tenant = self.tenant
        try service.app.route("/tenants/B") { _ in App.Response(try tenant.get()) }
        try await withPoolThread { pool in
            let setLine = #line + 4
            try await pool.runIfActive {
                let context = AppContext(service.app)
                try context.enter()
                try tenant.set("A")
                try context.exit()
            }
            let laterLine = #line + 1
            let seen = try await pool.runIfActive { try service.app.dispatch(get("/tenants/B")).text }
            let owner = try #require(try await service.appContexts().first)
            let later = try await service.request("/tenants/B")
            let poisoned = try await service.problems("poisoned_worker")
            #expect(seen == "nobody")
            #expect(poisoned.count == 1)
            #expect(poisoned.first?.context == owner.id)
            #expect(poisoned.first?.otherContext == later.id)
            #expect(poisoned.first?.owner == owner.worker)
            #expect(poisoned.first?.reader == later.worker)
            #expect(poisoned.first?.site == place(laterLine))
            #expect(poisoned.first?.ownerSite == place(setLine))
            #expect(poisoned.first?.age ?? 0 > 0)
            #expect(poisoned.first?.message.contains("tenant_id") == true)
        }
    }

    @Test("langgenius/dify#35773, repaired: a job resets its tokens, or runs its captured variables as a snapshot")
    func repaired() async throws {
        let service = try Service("workflows")
        let tenant = self.tenant
        try await withPoolThread { pool in
            try await pool.runIfActive {
                let context = AppContext(service.app)
                try context.enter()
                let token = try tenant.set("A")
                #expect(try tenant.get() == "A")
                try tenant.reset(token)
                try context.exit()
            }
            let captured = try tenant.withValue("A") { () throws in VariableSnapshot() }
            try await pool.runIfActive {
                let seen = try captured.run { try tenant.get() }
                #expect(seen == "A")
            }
            try await pool.runIfActive {
                try withRequestContext(service.app, get("/tenants/B")) { _ throws in
                    #expect(try tenant.get() == "nobody")
                }
            }
        }
        #expect(try await service.request("/tenants/B").outcome == "ok")
        #expect(try await service.problemCount() == 0)
    }
}
