// A value that boot code set on a worker survives the worker's first recycle, into a request that never loaded it.

import ContextVariables
import Contrail
import NIOCore
import NIOPosix
import Testing

@Suite("Boot values")
struct BootValueTests {
    @Test("REC-08: a value that survives the first recycle, as in the original, is found when a request reads it")
    func fault() async throws {
        let service = try Service("workflows")
        let providers = RecyclableVariable<String>(
            "plugin_tool_providers",
            policy: RecyclablePolicy(bootValues: .surviveFirstRecycle)
        )
        try await withPoolThread { pool in
            let setLine = #line + 3
            try await pool.runIfActive {
                try withAppContext(service.app) { _ throws in
                    try providers.set("boot")
                }
            }
            let readLine = #line + 3
            try await pool.runIfActive {
                try withRequestContext(service.app, get("/first")) { _ throws in
                    let first = try providers.get()
                    #expect(first == "boot")
                }
                try withRequestContext(service.app, get("/second")) { _ throws in
                    #expect(providers.miss != nil)
                }
            }
            let boot = try #require(try await service.appContexts().first)
            let first = try await service.request("/first")
            let read = try await service.problems("stale_read")
            #expect(read.count == 1)
            #expect(read.first?.context == boot.id)
            #expect(read.first?.otherContext == first.id)
            #expect(read.first?.owner == boot.worker)
            #expect(read.first?.reader == first.worker)
            #expect(read.first?.site == place(readLine))
            #expect(read.first?.ownerSite == place(setLine))
            #expect(read.first?.age ?? 0 > 0)
            #expect(read.first?.message.contains("plugin_tool_providers") == true)
        }
    }

    @Test("REC-08, repaired: without that policy the first request misses, says why, and loads for itself")
    func repaired() async throws {
        let service = try Service("workflows")
        let providers = RecyclableVariable<String>("plugin_tool_providers")
        try await withPoolThread { pool in
            try await pool.runIfActive {
                try withAppContext(service.app) { _ throws in
                    try providers.set("boot")
                    #expect(try providers.get() == "boot")
                }
            }
            try await pool.runIfActive {
                for path in ["/first", "/second"] {
                    try withRequestContext(service.app, get(path)) { _ throws in
                        #expect(providers.miss != nil)
                        try providers.set(path)
                        #expect(try providers.get() == path)
                    }
                }
            }
        }
        #expect(try await service.problemCount() == 0)
    }
}
