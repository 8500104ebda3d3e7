// What the plugins of a service provide: the values that the variables hold.

/// Runs the tools of one plugin provider.
public struct PluginToolProviderController: Sendable, Hashable {
    /// The provider's id: `langgenius/github`.
    public let id: String
    /// The names of its tools.
    public let tools: [String]

    /// Makes a controller.
    public init(id: String, tools: [String]) {
        self.id = id
        self.tools = tools
    }
}

/// A plugin that offers models.
public struct PluginModelProviderEntity: Sendable, Hashable {
    /// The provider's id.
    public let id: String
    /// The names of its models.
    public let models: [String]

    /// Makes an entity.
    public init(id: String, models: [String]) {
        self.id = id
        self.models = models
    }
}

/// What a model accepts.
public struct AIModelEntity: Sendable, Hashable {
    /// The model's name.
    public let model: String
    /// The names of its parameters.
    public let parameters: [String]

    /// Makes an entity.
    public init(model: String, parameters: [String]) {
        self.model = model
        self.parameters = parameters
    }
}

/// Reads one data source.
public struct DatasourcePluginProviderController: Sendable, Hashable {
    /// The provider's id.
    public let id: String

    /// Makes a controller.
    public init(id: String) {
        self.id = id
    }
}

/// Fires the events of one provider.
public struct PluginTriggerProviderController: Sendable, Hashable {
    /// The provider's id.
    public let id: String
    /// The names of its events.
    public let events: [String]

    /// Makes a controller.
    public init(id: String, events: [String]) {
        self.id = id
        self.events = events
    }
}

/// One provider of one tenant. The tenant is part of the key, so that not even a value that lives too long can be taken for
/// another tenant's (`REC-27`).
public struct ProviderKey: Sendable, Hashable {
    /// Whose plugin it is.
    public let tenant: String
    /// The provider's id.
    public let provider: String

    /// Makes a key.
    public init(tenant: String, provider: String) {
        self.tenant = tenant
        self.provider = provider
    }
}
