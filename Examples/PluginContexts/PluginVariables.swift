// The ten variables: five of plugin data, and the lock that the originals keep beside each.

public import ContextVariables

// Five of data. The keys have the tenant in them.

/// The tool providers that the unit has used.
public let pluginToolProviders =
    RecyclableVariable<ProviderTable<ProviderKey, PluginToolProviderController>>("plugin_tool_providers")

/// The model providers of each tenant that the unit has used.
public let pluginModelProviders =
    RecyclableVariable<ProviderTable<String, [PluginModelProviderEntity]>>("plugin_model_providers")

/// The model schemas that the unit has used.
public let pluginModelSchemas = RecyclableVariable<ProviderTable<ProviderKey, AIModelEntity>>("plugin_model_schemas")

/// The data sources that the unit has used.
public let datasourcePluginProviders =
    RecyclableVariable<ProviderTable<ProviderKey, DatasourcePluginProviderController>>("datasource_plugin_providers")

/// The triggers that the unit has used.
public let pluginTriggerProviders =
    RecyclableVariable<ProviderTable<ProviderKey, PluginTriggerProviderController>>("plugin_trigger_providers")

// Five of locks. `PluginDirectory` needs none of them: they are for code that is ported line by line.

/// The lock for ``pluginToolProviders``.
public let pluginToolProvidersLock = RecyclableVariable<ContextLock>("plugin_tool_providers_lock")

/// The lock for ``pluginModelProviders``.
public let pluginModelProvidersLock = RecyclableVariable<ContextLock>("plugin_model_providers_lock")

/// The lock for ``pluginModelSchemas``.
public let pluginModelSchemaLock = RecyclableVariable<ContextLock>("plugin_model_schema_lock")

/// The lock for ``datasourcePluginProviders``.
public let datasourcePluginProvidersLock = RecyclableVariable<ContextLock>("datasource_plugin_providers_lock")

/// The lock for ``pluginTriggerProviders``.
public let pluginTriggerProvidersLock = RecyclableVariable<ContextLock>("plugin_trigger_providers_lock")
