// The originals' spelling, for code that is ported line by line: a variable, the lock beside it, and both made on a miss.

internal import ContextVariables

/// The tool providers of the unit under their lock, as the originals write it.
public enum PortedPlugins {
    /// Makes the table and its lock where they are missing. Both, as one without the other is a miss later (`REC-21`).
    public static func initialize() throws {
        do {
            _ = try pluginToolProviders.get()
        } catch {
            try Self.reset()
        }
    }

    /// Overwrites the table and its lock (`REC-25`).
    public static func reset() throws {
        try pluginToolProviders.set(ProviderTable())
        try pluginToolProvidersLock.set(ContextLock())
    }

    /// Adds a provider under the lock, and throws ``VariableError`` when nobody called ``initialize()`` in this unit.
    public static func add(_ provider: PluginToolProviderController, under key: ProviderKey) throws {
        try pluginToolProvidersLock.get().withLock {
            let providers = pluginToolProviders.get(default: ProviderTable())
            providers[key] = provider
            try pluginToolProviders.set(providers)
        }
    }
}
