// What a service does with the variables: load each thing once, start over, leave the rest to the unit.

internal import ContextVariables

/// The daemon that knows the plugins.
public protocol PluginDaemon: Sendable {
    /// The model providers of a tenant.
    func modelProviders(of tenant: String) async throws -> [PluginModelProviderEntity]
    /// One tool provider.
    func toolProvider(_ key: ProviderKey) async throws -> PluginToolProviderController
}

/// The plugins that a request uses, asked of the daemon at most once each.
///
/// The originals keep a lock beside each variable, because between "is it there?" and "store it" another thread of the same
/// request may do the same. Here the variable is its own lock: `getOrLoad` lets the first caller make the value and the others
/// wait, also across `await`, where no lock may be held, and publishes only what is complete (`REC-22`, `REC-24`).
public struct PluginDirectory: Sendable {
    private let daemon: any PluginDaemon

    /// Makes it over a daemon.
    public init(daemon: any PluginDaemon) {
        self.daemon = daemon
    }

    /// The model providers of a tenant.
    public func modelProviders(of tenant: String) async throws -> [PluginModelProviderEntity] {
        let table = try await pluginModelProviders.getOrLoad { ProviderTable() }
        return try await table.value(tenant) { try await self.daemon.modelProviders(of: tenant) }
    }

    /// A tool provider, by tenant and id.
    public func toolProvider(_ key: ProviderKey) async throws -> PluginToolProviderController {
        let table = try await pluginToolProviders.getOrLoad { ProviderTable() }
        return try await table.value(key) { try await self.daemon.toolProvider(key) }
    }

    /// Starts over with the tool providers in the middle of a unit, as a workflow does when it begins (`REC-25`).
    public func resetToolProviders() {
        pluginToolProviders.invalidate()
    }
}
