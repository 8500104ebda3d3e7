// The values of context variables, as one line of execution sees them.

private import Synchronization

/// The values of context variables in one context. A snapshot forks it; nested scopes of the same owner share it.
package final class VariableBranch: Sendable {
    private let values: Mutex<[VariableID: any Sendable]>

    package init() {
        self.values = Mutex([:])
    }

    private init(values: [VariableID: any Sendable]) {
        self.values = Mutex(values)
    }

    /// A branch with the same values; what happens in one is not seen in the other.
    package func forked() -> VariableBranch {
        VariableBranch(values: self.values.withLock { $0 })
    }

    package subscript(id: VariableID) -> (any Sendable)? {
        self.values.withLock { $0[id] }
    }

    /// Stores a value, or removes it when `value` is nil. Returns the old one.
    @discardableResult
    package func exchange(_ value: (any Sendable)?, for id: VariableID) -> (any Sendable)? {
        self.values.withLock { values in
            let old = values[id]
            values[id] = value
            return old
        }
    }
}
