// The values of context variables, as one line of execution sees them.

/// The values of context variables in one context. A snapshot forks it; nested scopes of the same owner share it.
package final class VariableBranch: Sendable {
    private let values: BriefLock<VariableTable<ValueBox>>

    package init() {
        self.values = BriefLock(VariableTable())
    }

    private init(values: VariableTable<ValueBox>) {
        self.values = BriefLock(values)
    }

    /// A branch with the same values; what happens in one is not seen in the other.
    package func forked() -> VariableBranch {
        VariableBranch(values: self.values.withLock { $0 })
    }

    /// Whether there is a value.
    func contains(_ id: VariableID) -> Bool {
        self.values.withLock { $0.place(of: id) != nil }
    }

    /// Reads the value of a variable, if there is one.
    @inline(never)
    func read(_ id: VariableID, _ reader: BoxReader) {
        self.values.withLock { values in
            if let address = values.address(of: id, { $0 }) { reader(address) }
        }
    }

    /// The box of a variable's value.
    func box(of id: VariableID) -> ValueBox? {
        self.values.withLock { values in
            values[id]
        }
    }

    /// Stores a value, or removes it when `box` is nil. Returns the old one, which dies outside the lock.
    @discardableResult
    func exchange(_ box: ValueBox?, for id: VariableID) -> ValueBox? {
        self.values.withLock { $0.exchange(box, for: id) }
    }
}
