// What extensions keep with an app: Flask's `app.extensions`.

private import Synchronization

extension App {
    /// The registry in which extensions keep what they have with an app: a pool, a client, a scheduler.
    ///
    /// It lives as long as the app. May be used from any thread.
    public final class Extensions: Sendable {
        private let values = Mutex<[String: any Sendable]>([:])

        init() {}

        /// What the extension of this name keeps; `nil` when there is none. Setting `nil` removes it.
        public subscript(name: String) -> (any Sendable)? {
            get { self.values.withLock { $0[name] } }
            set {
                // The replaced value leaves the lock before it is released: it may run user code when it dies.
                let old = self.values.withLock { values in
                    let old = values[name]
                    values[name] = newValue
                    return old
                }
                withExtendedLifetime(old) {}
            }
        }

        /// What the extension of this name keeps, as a type; `nil` when it is absent or of another type.
        public func value<Value: Sendable>(_ name: String, as type: Value.Type) -> Value? {
            guard let value = self[name] else { return nil }
            return value as? Value
        }

        /// The names of the extensions, sorted.
        public var names: [String] { self.values.withLock { $0.keys.sorted() } }
    }
}
