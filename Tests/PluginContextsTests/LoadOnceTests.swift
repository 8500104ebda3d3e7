// The load-once idiom over the plugin variables.

import ContextVariables
import PluginContexts
import Testing

@Suite("Plugin variables")
struct LoadOnceTests {
    private let worker = Worker(kind: "conn", number: 1)
    private let key = ProviderKey(tenant: "a", provider: "github")

    @Test("Fifty callers at once cause one fetch, and all get its value.")
    func oneFetch() async throws {
        let arrived = Barrier(50)
        let daemon = CountingDaemon { await arrived.wait() }
        let plugins = PluginDirectory(daemon: daemon)
        let ids = try await self.worker.run { () async throws in
            try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        arrived.arrive()
                        return try await plugins.modelProviders(of: "a").first?.id
                    }
                }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
        }
        #expect(ids == ["of a"])
        #expect(daemon.asked("a") == 1)
    }

    @Test("A fetch that fails publishes nothing: the next call asks again, and an error is not an empty list.")
    func failedFetch() async throws {
        let daemon = CountingDaemon(failures: 1)
        let plugins = PluginDirectory(daemon: daemon)
        try await self.worker.run { () async throws in
            await #expect(throws: CountingDaemon.Unreachable.self) { _ = try await plugins.modelProviders(of: "a") }
            #expect(try pluginModelProviders.get()["a"] == nil)
            #expect(try await plugins.modelProviders(of: "a").map(\.id) == ["of a"])
            #expect(try await plugins.modelProviders(of: "a").map(\.id) == ["of a"])
        }
        #expect(daemon.asked("a") == 2)
    }

    @Test("Each provider is fetched once, and one that fails does not touch the others.")
    func keyed() async throws {
        let daemon = CountingDaemon(failures: 1)
        let plugins = PluginDirectory(daemon: daemon)
        let other = ProviderKey(tenant: "a", provider: "slack")
        try await self.worker.run { () async throws in
            await #expect(throws: CountingDaemon.Unreachable.self) { _ = try await plugins.toolProvider(self.key) }
            for _ in 0..<3 {
                #expect(try await plugins.toolProvider(self.key).id == "a/github")
                #expect(try await plugins.toolProvider(other).id == "a/slack")
            }
            #expect(try pluginToolProviders.get().count == 2)
        }
        #expect(daemon.asked("a/github") == 2)
        #expect(daemon.asked("a/slack") == 1)
    }

    @Test("One tenant never gets another one's provider, though the id is the same and the unit too.")
    func tenants() async throws {
        let plugins = PluginDirectory(daemon: CountingDaemon())
        try await self.worker.run { () async throws in
            #expect(try await plugins.toolProvider(self.key).id == "a/github")
            #expect(try await plugins.toolProvider(ProviderKey(tenant: "b", provider: "github")).id == "b/github")
            #expect(try await plugins.modelProviders(of: "a").map(\.id) == ["of a"])
            #expect(try await plugins.modelProviders(of: "b").map(\.id) == ["of b"])
        }
    }

    @Test("The next unit of the worker fetches anew, and outside any unit nothing is fetched.")
    func nextUnit() async throws {
        let daemon = CountingDaemon()
        let plugins = PluginDirectory(daemon: daemon)
        for _ in 0..<2 { try await self.worker.run { _ = try await plugins.toolProvider(self.key) } }
        #expect(daemon.asked("a/github") == 2)
        let error = await #expect(throws: VariableError.self) { _ = try await plugins.toolProvider(self.key) }
        #expect(error?.code == .outsideUnit)
        #expect(daemon.asked("a/github") == 2)
    }

    @Test("A reset in the middle of a unit starts over with the tools, and with nothing else.")
    func eagerReset() async throws {
        let daemon = CountingDaemon()
        let plugins = PluginDirectory(daemon: daemon)
        try await self.worker.run { () async throws in
            _ = try await plugins.toolProvider(self.key)
            _ = try await plugins.modelProviders(of: "a")
            plugins.resetToolProviders()
            _ = try await plugins.toolProvider(self.key)
            _ = try await plugins.modelProviders(of: "a")
        }
        #expect(daemon.asked("a/github") == 2)
        #expect(daemon.asked("a") == 1)
    }

    @Test("Another worker's recycle does not touch what this unit has loaded.")
    func otherWorker() async throws {
        let daemon = CountingDaemon()
        let plugins = PluginDirectory(daemon: daemon)
        let other = Worker(kind: "conn", number: 2)
        try await self.worker.run { () async throws in
            _ = try await plugins.toolProvider(self.key)
            try await other.run { _ = try await plugins.toolProvider(self.key) }
            other.recycle()
            _ = try await plugins.toolProvider(self.key)
        }
        #expect(daemon.asked("a/github") == 2)
    }

    @Test("The originals' spelling works: make both on a miss, add under the lock, overwrite both.")
    func ported() throws {
        let provider = PluginToolProviderController(id: "github", tools: [])
        try self.worker.run { () throws in
            let error = #expect(throws: VariableError.self) { try PortedPlugins.add(provider, under: self.key) }
            #expect(error?.code == .neverSet)
            try PortedPlugins.initialize()
            let table = try pluginToolProviders.get()
            try PortedPlugins.initialize()
            #expect(try pluginToolProviders.get() === table)
            try PortedPlugins.add(provider, under: self.key)
            #expect(try pluginToolProviders.get()[self.key] == provider)
            try PortedPlugins.reset()
            #expect(try pluginToolProviders.get()[self.key] == nil)
        }
        try self.worker.run { () throws -> Void in
            #expect(throws: VariableError.self) { try PortedPlugins.add(provider, under: self.key) }
        }
    }

    @Test("Under the lock, concurrent additions of one unit are all there.")
    func portedConcurrently() async throws {
        try await self.worker.run { () async throws in
            try PortedPlugins.initialize()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        let provider = PluginToolProviderController(id: "\(number)", tools: [])
                        try PortedPlugins.add(provider, under: ProviderKey(tenant: "a", provider: "\(number)"))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try pluginToolProviders.get().count == 50)
        }
    }

    @Test("There are ten variables, and each has the name that it has in the original.")
    func names() {
        let names = [
            pluginToolProviders.name, pluginModelProviders.name, pluginModelSchemas.name,
            datasourcePluginProviders.name, pluginTriggerProviders.name, pluginToolProvidersLock.name,
            pluginModelProvidersLock.name, pluginModelSchemaLock.name, datasourcePluginProvidersLock.name,
            pluginTriggerProvidersLock.name,
        ]
        #expect(
            names == [
                "plugin_tool_providers", "plugin_model_providers", "plugin_model_schemas",
                "datasource_plugin_providers", "plugin_trigger_providers", "plugin_tool_providers_lock",
                "plugin_model_providers_lock", "plugin_model_schema_lock", "datasource_plugin_providers_lock",
                "plugin_trigger_providers_lock",
            ]
        )
    }
}
