// A variable whose value lives exactly as long as the unit of work it was set in.

/// A per-unit value, such as a cache: valid only in the epoch it was set in, released when its unit ends.
///
/// All structured children of a unit share the value; a snapshot carries a branch of its own. The variable is its own
/// lock: no second variable with a lock is needed. Ports `REC-01` to `REC-24` with unique epochs in place of counters, so
/// that nothing a worker left behind can become valid again.
public final class RecyclableVariable<Value: Sendable>: Sendable {
    /// Why a read found no value.
    public enum Miss: Sendable, Equatable {
        /// The unit of this epoch has not set it.
        case neverSet(epoch: Epoch)
        /// The unit of this epoch has ended, and its values with it.
        case recycled(epoch: Epoch)
        /// No unit of work is current.
        case outsideUnit
    }

    /// The name, for messages.
    public let name: String

    private let id = VariableID.next()

    /// Makes a variable. Make each once, as a global or static constant.
    public init(_ name: String) {
        self.name = name
    }

    /// Whether a read would miss, and why; `nil` when there is a value.
    public var miss: Miss? {
        guard let unit = Scope.current?.unit else { return .outsideUnit }
        if unit.value(of: self.id) != nil { return nil }
        return unit.isEnded ? .recycled(epoch: unit.epoch) : .neverSet(epoch: unit.epoch)
    }

    /// The value of the current unit.
    ///
    /// Throws ``VariableError`` with the reason as its code: `neverSet`, `recycled` or `outsideUnit`.
    public func get(fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) -> Value {
        if let value = self.currentValue { return value }
        throw self.missError(fileID: fileID, line: line)
    }

    /// The value of the current unit, or `fallback`.
    public func get(default fallback: Value) -> Value {
        self.currentValue ?? fallback
    }

    /// Sets the value for the rest of the current unit.
    ///
    /// Throws ``VariableError/Code/outsideUnit`` or ``VariableError/Code/recycled``; nothing is stored then.
    public func set(_ value: Value, fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) {
        guard Scope.current?.unit?.set(value, for: self.id) == true else {
            throw self.missError(fileID: fileID, line: line)
        }
    }

    /// Forgets the value of the current unit. Does nothing when there is none. A load that is under way is disowned: its
    /// caller gets what it loads, and nobody else does.
    public func invalidate() {
        Scope.current?.unit?.remove(self.id)
    }

    /// The value of the current unit; the first caller loads it, the others wait for that one.
    ///
    /// Only a complete value is published: when `load` throws, its caller gets the error, the variable stays empty, and one
    /// of those who waited tries again (`REC-24` shows what publishing early costs). Outside a unit nothing can be kept, so
    /// that is an error too: ``VariableError/Code/outsideUnit``, before `load` is called. A `load` that asks for its own variable
    /// gets ``VariableError/Code/recursiveLoad``. Those who wait do so until the load has ended, cancelled or not.
    public nonisolated(nonsending) func getOrLoad(
        fileID: StaticString = #fileID,
        line: UInt = #line,
        _ load: nonisolated(nonsending) () async throws -> Value
    ) async throws -> Value {
        guard let unit = Scope.current?.unit else { throw self.missError(fileID: fileID, line: line) }
        switch await unit.claim(self.id) {
        case .ended: throw self.missError(fileID: fileID, line: line)
        case .loadsItself:
            throw VariableError(
                .recursiveLoad,
                "loading \"\(self.name)\" asks for \"\(self.name)\": load what it needs under another variable",
                fileID: fileID,
                line: line
            )
        case .value(let value):
            if let value = value as? Value { return value }
            throw self.missError(fileID: fileID, line: line)
        case .load(let ticket):
            do {
                let value = try await load()
                unit.settle(self.id, ticket: ticket, with: value)
                return value
            } catch {
                unit.settle(self.id, ticket: ticket, with: nil)
                throw error
            }
        }
    }

    private var currentValue: Value? {
        // An absent value must not reach the cast: to an optional `Value` nothing would become a stored nil.
        guard let value = Scope.current?.unit?.value(of: self.id) else { return nil }
        return value as? Value
    }

    private func missError(fileID: StaticString, line: UInt) -> VariableError {
        switch self.miss {
        case .recycled(let epoch)?:
            VariableError(
                .recycled,
                "the recyclable variable \"\(self.name)\" is gone: its unit (epoch \(epoch)) has ended; load it again in this one",
                fileID: fileID,
                line: line
            )
        case .outsideUnit?:
            VariableError(
                .outsideUnit,
                "the recyclable variable \"\(self.name)\" needs a unit of work: enter withRequestContext or withAppContext first",
                fileID: fileID,
                line: line
            )
        case .neverSet(let epoch)?:
            VariableError(
                .neverSet,
                "the recyclable variable \"\(self.name)\" was not set in this unit (epoch \(epoch)): set it, or use getOrLoad",
                fileID: fileID,
                line: line
            )
        case nil:
            VariableError(
                .neverSet,
                "the recyclable variable \"\(self.name)\" was set while it was being read: read it again",
                fileID: fileID,
                line: line
            )
        }
    }
}
