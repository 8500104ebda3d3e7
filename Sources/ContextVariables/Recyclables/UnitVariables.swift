// A handle on one unit of work, for code that reads many recyclable values.

/// The recyclable values of one unit of work, found once: a read through it skips the look-up of what is current.
///
/// It stays with its unit. After a recycle it says ``VariableError/Code/recycled``, where the variable itself is in the worker's
/// next unit already; so take it anew for each unit, and do not keep it.
public struct UnitVariables: Sendable {
    @usableFromInline let unit: WorkUnit?

    package init(_ unit: WorkUnit?) {
        self.unit = unit
    }

    /// A handle on the unit that the caller is in; every read through it misses when there is none.
    public static var current: UnitVariables {
        UnitVariables(Scope.currentUnit)
    }

    /// The value of a variable; `nil` when a read would miss.
    @inlinable
    public subscript<Value>(variable: RecyclableVariable<Value>) -> Value? {
        variable.value(in: self.unit)
    }

    /// The value of a variable.
    ///
    /// Throws ``VariableError`` with the reason as its code: `neverSet`, `recycled` or `outsideUnit`.
    @inlinable
    public func get<Value>(
        _ variable: RecyclableVariable<Value>,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(VariableError) -> Value {
        if let value = variable.value(in: self.unit) { return value }
        throw variable.identity.missError(in: self.unit, fileID: fileID, line: line)
    }

    /// Sets the value of a variable for the rest of the unit.
    ///
    /// Throws ``VariableError/Code/outsideUnit`` or ``VariableError/Code/recycled``; nothing is stored then.
    public func set<Value>(
        _ variable: RecyclableVariable<Value>,
        _ value: Value,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(VariableError) {
        try variable.set(value, in: self.unit, fileID: fileID, line: line)
    }

    /// Whether a read would miss, and why; `nil` when there is a value.
    public func miss<Value>(of variable: RecyclableVariable<Value>) -> RecyclableMiss? {
        variable.identity.miss(in: self.unit)
    }
}
