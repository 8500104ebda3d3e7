// A snapshot of an earlier tenant's request is replayed on a worker that has gone on to the next tenant.

import ContextVariables
import Contrail
import ContrailHummingbird
import NIOCore
import NIOPosix
import Testing

@Suite("Snapshot rollback")
struct SnapshotRollbackTests {
    private let providers = RecyclableVariable<String>("plugin_tool_providers")

    @Test("REC-16: replaying an ended request's snapshot on its worker is refused, and revives no value there")
    func fault() async throws {
        let service = try Service("workflows")
        let providers = self.providers
        try await withPoolThread { pool in
            let pushLine = #line + 2
            let snapshot = try await pool.runIfActive {
                try withRequestContext(service.app, get("/tenants/A")) { _ throws in
                    try providers.set("A")
                    return try ContextSnapshot("node")
                }
            }
            let runLine = #line + 5
            try await pool.runIfActive {
                try withRequestContext(service.app, get("/tenants/B")) { _ throws in
                    #expect(providers.miss != nil)
                    let refused = code {
                        try snapshot.run { _ = Issue.record("ran with \(providers.get(default: "nothing"))") }
                    }
                    #expect(refused == .borrowOutlived)
                    // The replay did not roll the worker back: what tenant A left on it stays invalid.
                    #expect(providers.miss != nil)
                    try providers.set("B")
                    #expect(try providers.get() == "B")
                }
            }
            let owner = try await service.request("/tenants/A")
            let reader = try await service.request("/tenants/B")
            let problems = try await service.problems("borrow_outlived")
            #expect(problems.count == 1)
            #expect(problems.first?.context == owner.id)
            #expect(problems.first?.otherContext == reader.id)
            #expect(problems.first?.owner == owner.worker)
            #expect(problems.first?.reader == reader.worker)
            #expect(problems.first?.site == place(runLine))
            #expect(problems.first?.ownerSite == place(pushLine))
            #expect(problems.first?.age ?? 0 > 0)
        }
    }

    @Test("REC-16, repaired: a snapshot is replayed while its request is open, beside the worker's own values")
    func repaired() async throws {
        let service = try Service("workflows")
        let providers = self.providers
        try await withPoolThread { pool in
            try await withRequestContext(service.app, get("/tenants/A")) { _ async throws in
                try providers.set("A")
                let snapshot = try ContextSnapshot("node")
                try await pool.runIfActive {
                    try withRequestContext(service.app, get("/tenants/B")) { _ throws in
                        try providers.set("B")
                        #expect(try snapshot.run { try providers.get() } == "A")
                        #expect(try providers.get() == "B")
                    }
                    try withRequestContext(service.app, get("/tenants/C")) { _ throws in
                        #expect(providers.miss != nil)
                    }
                }
                #expect(try await pool.runIfActiveInContext(snapshot) { try providers.get() } == "A")
            }
        }
        #expect(try await service.problemCount() == 0)
    }
}
