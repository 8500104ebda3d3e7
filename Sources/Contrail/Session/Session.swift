// The session: what a service remembers of one user between requests.

internal import ContrailRecorder
internal import OrderedCollections
private import Synchronization

extension App {
    /// A session: a table of one user's values, which a ``SessionInterface`` opens at a push and saves after the request.
    ///
    /// It notes whether it was read or written at all (``isAccessed``) and whether it was changed (``isModified``). Only
    /// changes of the table itself count: take a value out, change it, and set it again. A *null* session reads as an empty
    /// one and refuses every change (`SES-02`). May be used from any thread; each call is atomic.
    public final class Session: Sendable {
        private struct State {
            var values: OrderedDictionary<String, SessionValue>
            var isAccessed = false
            var isModified = false
            var isPermanent: Bool
            var id: String?
        }

        /// Whether it refuses changes, because the store could not open one.
        public let isNull: Bool
        /// Whether it was made just now, rather than found in the store.
        public let isNew: Bool

        private let state: Mutex<State>

        private init(
            _ values: OrderedDictionary<String, SessionValue>,
            isNull: Bool,
            isNew: Bool,
            isPermanent: Bool,
            id: String?
        ) {
            self.isNull = isNull
            self.isNew = isNew
            self.state = Mutex(State(values: values, isPermanent: isPermanent, id: id))
        }

        /// Makes a session, as a store does when it opens one. It counts as neither accessed nor modified.
        ///
        /// - Parameters:
        ///   - values: Its values; their keys are put in alphabetical order.
        ///   - isNew: Whether it was made just now, rather than found in the store.
        ///   - isPermanent: Whether it outlives the browser.
        ///   - id: What the store calls it.
        public convenience init(
            _ values: [String: SessionValue] = [:],
            isNew: Bool = false,
            isPermanent: Bool = false,
            id: String? = nil
        ) {
            let sorted = values.sorted { $0.key < $1.key }
            self.init(
                OrderedDictionary(uniqueKeysWithValues: sorted.map { ($0.key, $0.value) }),
                isNull: false,
                isNew: isNew,
                isPermanent: isPermanent,
                id: id
            )
        }

        /// Makes a null session: empty to read, and every change throws ``ContextError/Code/sessionUnavailable``.
        public static func null() -> Session {
            Session([:], isNull: true, isNew: false, isPermanent: false, id: nil)
        }

        // MARK: - Reading

        /// The value under a key; `nil` when the key is absent.
        public subscript(key: String) -> SessionValue? {
            self.read { $0[key] }
        }

        /// The value under a key, or `fallback` when the key is absent. A stored ``SessionValue/null`` is a value.
        public func get(_ key: String, default fallback: SessionValue) -> SessionValue {
            self.read { $0[key] } ?? fallback
        }

        /// Whether the key is there.
        public func contains(_ key: String) -> Bool {
            self.read { $0[key] != nil }
        }

        /// The keys in order of insertion; overwriting keeps the place.
        public var keys: [String] { self.read { Array($0.keys) } }

        /// How many values there are.
        public var count: Int { self.read { $0.count } }

        /// Whether there is no value.
        public var isEmpty: Bool { self.read { $0.isEmpty } }

        // MARK: - Changing

        /// Stores a value; throws ``ContextError/Code/sessionUnavailable`` in a null session.
        public func set(
            _ key: String,
            _ value: SessionValue,
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) {
            try self.checkAvailable(Site(fileID: fileID, line: line))
            self.change { values in (true, values.updateValue(value, forKey: key)) }
        }

        /// Removes a key and gives its value; throws ``ContextError/Code/sessionUnavailable`` in a null session, else
        /// ``ContextError/Code/missingKey`` when the key is absent.
        @discardableResult
        public func remove(
            _ key: String,
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) -> SessionValue {
            let site = Site(fileID: fileID, line: line)
            try self.checkAvailable(site)
            if let value = self.take(key) { return value }
            throw ContextError(
                .missingKey,
                "\"\(key)\" is not in the session: set it first, or take it with pop(_:default:)",
                site: site
            )
        }

        /// Removes a key and gives its value; throws as ``remove(_:fileID:line:)`` does.
        @discardableResult
        public func pop(
            _ key: String,
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) -> SessionValue {
            try self.remove(key, fileID: fileID, line: line)
        }

        /// Removes a key and gives its value, or `fallback` when it is absent; throws
        /// ``ContextError/Code/sessionUnavailable`` in a null session.
        @discardableResult
        public func pop(
            _ key: String,
            default fallback: SessionValue,
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) -> SessionValue {
            try self.checkAvailable(Site(fileID: fileID, line: line))
            return self.take(key) ?? fallback
        }

        /// Removes the key that was added last and gives it with its value; throws
        /// ``ContextError/Code/sessionUnavailable`` in a null session, ``ContextError/Code/missingKey`` in an empty one.
        @discardableResult
        public func popItem(
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) -> (key: String, value: SessionValue) {
            let site = Site(fileID: fileID, line: line)
            try self.checkAvailable(site)
            let last = self.change { values -> (Bool, (key: String, value: SessionValue)?) in
                guard let key = values.keys.last, let value = values.removeValue(forKey: key) else {
                    return (false, nil)
                }
                return (true, (key, value))
            }
            if let last { return last }
            throw ContextError(.missingKey, "the session is empty: check isEmpty before popItem", site: site)
        }

        /// The value under a key; when it is absent, first stores `value` there. Throws
        /// ``ContextError/Code/sessionUnavailable`` in a null session, also when there is nothing to store.
        @discardableResult
        public func setDefault(
            _ key: String,
            _ value: SessionValue = .null,
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) -> SessionValue {
            try self.checkAvailable(Site(fileID: fileID, line: line))
            return self.change { values in
                if let stored = values[key] { return (false, stored) }
                values[key] = value
                return (true, value)
            }
        }

        /// Stores several values, in alphabetical order of their keys; throws ``ContextError/Code/sessionUnavailable`` in a
        /// null session.
        public func update(
            _ values: [String: SessionValue],
            fileID: StaticString = #fileID,
            line: UInt = #line
        ) throws(ContextError) {
            try self.checkAvailable(Site(fileID: fileID, line: line))
            let sorted = values.sorted { $0.key < $1.key }
            self.change { stored in (true, sorted.map { stored.updateValue($0.value, forKey: $0.key) }) }
        }

        /// Removes everything, so that the store forgets the session; throws ``ContextError/Code/sessionUnavailable`` in a
        /// null session.
        public func clear(fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError) {
            try self.checkAvailable(Site(fileID: fileID, line: line))
            self.change { values in
                let old = values
                values = [:]
                return (true, old)
            }
        }

        // MARK: - What stores ask

        /// Whether anything above was called, be it `contains` or `count`: the response then depends on the cookie
        /// (`SES-05`).
        public var isAccessed: Bool { self.state.withLock { $0.isAccessed } }

        /// Whether the table was changed; a change inside a value cannot happen unnoticed, since values are copied.
        public var isModified: Bool { self.state.withLock { $0.isModified } }

        /// Whether it outlives the browser, for as long as the store keeps sessions. Setting it is a change, and does nothing
        /// in a null session; reading it does not count as an access, since stores do.
        public var isPermanent: Bool {
            get { self.state.withLock { $0.isPermanent } }
            set {
                guard !self.isNull else { return }
                self.state.withLock { state in
                    state.isAccessed = true
                    state.isModified = true
                    state.isPermanent = newValue
                }
            }
        }

        /// What the store calls it; `nil` before it was stored, and in stores that need no name. For stores to set.
        public var id: String? {
            get { self.state.withLock { $0.id } }
            set { self.state.withLock { $0.id = newValue } }
        }

        /// The values as they are, for a store to keep: reading them does not count as an access (`SES-05`).
        public var values: [String: SessionValue] {
            let values = self.state.withLock { $0.values }
            return Dictionary(uniqueKeysWithValues: values.map { ($0.key, $0.value) })
        }

        /// What saving the session amounts to. Asking does not count as an access.
        ///
        /// - Parameter refreshesEachRequest: Whether a permanent session is written after each request, so that it expires
        ///   from then on.
        public func saving(refreshesEachRequest: Bool) -> SessionSaving {
            self.state.withLock { state in
                let action: SessionSaving.Action =
                    if state.values.isEmpty {
                        state.isModified ? .delete : .nothing
                    } else {
                        state.isModified || (state.isPermanent && refreshesEachRequest) ? .write : .nothing
                    }
                return SessionSaving(action: action, variesByCookie: state.isAccessed || action != .nothing)
            }
        }

        private func read<Result: Sendable>(
            _ body: (OrderedDictionary<String, SessionValue>) -> Result
        ) -> Result {
            self.state.withLock { state in
                state.isAccessed = true
                return body(state.values)
            }
        }

        /// Runs a change that says whether it changed anything, and what it gives or took out: that is released here, outside
        /// the lock.
        @discardableResult
        private func change<Result: Sendable>(
            _ body: (inout OrderedDictionary<String, SessionValue>) -> (isChange: Bool, result: Result)
        ) -> Result {
            self.state.withLock { state in
                state.isAccessed = true
                let (isChange, result) = body(&state.values)
                if isChange { state.isModified = true }
                return result
            }
        }

        private func take(_ key: String) -> SessionValue? {
            self.change { values in
                let value = values.removeValue(forKey: key)
                return (value != nil, value)
            }
        }

        private func checkAvailable(_ site: Site) throws(ContextError) {
            guard self.isNull else { return }
            throw ContextError(
                .sessionUnavailable,
                "the session is a null session, which takes no changes: give the app a session store that can open one, "
                    + "or check isNull before",
                site: site
            )
        }
    }
}

extension App.Session: CustomStringConvertible {
    /// What it is and how many values it has; not the values, which are the user's.
    public var description: String {
        let count = self.state.withLock { $0.values.count }
        return self.isNull ? "<Session: null>" : "<Session of \(count) \(count == 1 ? "value" : "values")>"
    }
}
