// What an app is configured with: Flask's `app.config`, as a value that can be copied into another app.

extension App {
    /// The configuration of an app: a value, so that a job worker can make an app of its own from a copy.
    ///
    /// ```swift
    /// let worker = App("orders-worker", config: app.config)
    /// ```
    public struct Config: Sendable {
        /// Whether the app is being tested: errors that nobody handles then leave the dispatch.
        public var testing: Bool
        /// Whether the app is being debugged: errors that nobody handles then leave the dispatch.
        public var debug: Bool
        /// Whether errors that nobody handles leave the dispatch; `nil` does so when testing or debugging (`LIF-08`).
        public var propagatesErrors: Bool?
        /// The host under which the app is served, for requests that are made up: `example.org:8080`.
        public var serverName: String?
        /// The scheme under which the app is served.
        public var preferredScheme: String
        /// The path under which the app is mounted.
        public var applicationRoot: String

        private var values: [String: any Sendable] = [:]

        /// Makes a configuration.
        public init(
            testing: Bool = false,
            debug: Bool = false,
            propagatesErrors: Bool? = nil,
            serverName: String? = nil,
            preferredScheme: String = "http",
            applicationRoot: String = "/"
        ) {
            self.testing = testing
            self.debug = debug
            self.propagatesErrors = propagatesErrors
            self.serverName = serverName
            self.preferredScheme = preferredScheme
            self.applicationRoot = applicationRoot
        }

        /// A value of the user's own, by name; `nil` when it is absent. Setting `nil` removes it.
        public subscript(name: String) -> (any Sendable)? {
            get { self.values[name] }
            set { self.values[name] = newValue }
        }

        /// A value of the user's own as a type; `nil` when it is absent or of another type.
        public func value<Value: Sendable>(_ name: String, as type: Value.Type) -> Value? {
            guard let value = self.values[name] else { return nil }
            return value as? Value
        }

        /// The names of the user's own values, sorted.
        public var names: [String] { self.values.keys.sorted() }

        /// Whether an error that nobody handled leaves the dispatch.
        var propagates: Bool { self.propagatesErrors ?? (self.testing || self.debug) }
    }
}
