// A table that loads each of its entries once.

internal import Synchronization

/// What a unit has loaded, by key: shared by all who have the unit or a snapshot of it, as a dictionary is in the originals.
///
/// Loading is single-flight for each key, and only a value that was loaded completely gets in.
public final class ProviderTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct State {
        var values: [Key: Value] = [:]
        var loads: [Key: Task<Value, any Error>] = [:]
    }

    private enum Finding {
        case value(Value)
        case load(Task<Value, any Error>)
    }

    private let state = Mutex(State())

    /// Makes an empty table.
    public init() {}

    /// The value under a key, if it is there.
    public subscript(key: Key) -> Value? {
        get { self.state.withLock { $0.values[key] } }
        set {
            // The old value leaves the lock before it is released.
            _ = self.state.withLock { state in
                let old = state.values[key]
                state.values[key] = newValue
                return old
            }
        }
    }

    /// How many values there are.
    public var count: Int { self.state.withLock { $0.values.count } }

    /// The value under a key; the first who asks loads it, the others wait for that one and share its error.
    public func value(_ key: Key, load: @escaping @Sendable () async throws -> Value) async throws -> Value {
        let finding = self.state.withLock { state -> Finding in
            if let value = state.values[key] { return .value(value) }
            if let task = state.loads[key] { return .load(task) }
            let task = Task { try await self.settle(key, load) }
            state.loads[key] = task
            return .load(task)
        }
        switch finding {
        case .value(let value): return value
        case .load(let task): return try await task.value
        }
    }

    private func settle(_ key: Key, _ load: @Sendable () async throws -> Value) async throws -> Value {
        do {
            let value = try await load()
            self.state.withLock { state in
                state.loads[key] = nil
                state.values[key] = value
            }
            return value
        } catch {
            self.state.withLock { $0.loads[key] = nil }
            throw error
        }
    }
}
