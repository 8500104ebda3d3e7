// A variable whose value lives exactly as long as the unit of work it was set in.

public import Logging

/// A per-unit value, such as a cache: valid only in the epoch it was set in, released when its unit ends.
///
/// All structured children of a unit share the value; a snapshot carries a branch of its own. The variable is its own
/// lock: no second variable with a lock is needed. Ports `REC-01` to `REC-24` with unique epochs in place of counters, so
/// that nothing a worker left behind can become valid again. On a bare thread the unit is the thread's own, begun when
/// something is set.
public final class RecyclableVariable<Value: Sendable>: Sendable {
    /// Why a read found no value.
    public typealias Miss = RecyclableMiss

    /// The name, for messages.
    public var name: String { self.identity.name }

    /// How values behave at a worker's first recycle and in hand-offs.
    public var policy: RecyclablePolicy { self.identity.policy }

    @usableFromInline let identity: RecyclableIdentity

    /// Makes a variable. Make each once, as a global or static constant.
    ///
    /// - Parameters:
    ///   - name: For messages and logs.
    ///   - policy: How values behave at a worker's first recycle and in hand-offs.
    ///   - logger: Logs every get, set and recycle of the variable at `.debug`: name, epoch and reason, never the value. Costs
    ///     nothing while its level is above that.
    public init(_ name: String, policy: RecyclablePolicy = RecyclablePolicy(), logger: Logger? = nil) {
        self.identity = RecyclableIdentity(name: name, policy: policy, logger: logger)
    }

    /// Whether a read would miss, and why; `nil` when there is a value.
    public var miss: Miss? {
        self.identity.miss(in: Scope.currentUnit)
    }

    /// The value of the current unit.
    ///
    /// Throws ``VariableError`` with the reason as its code: `neverSet`, `recycled` or `outsideUnit`.
    @inlinable
    public func get(fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) -> Value {
        if let value = self.currentValue() {
            if self.identity.mayBeBootValue { self.identity.reportBootValue(fileID: fileID, line: line) }
            return value
        }
        throw self.identity.currentMissError(fileID: fileID, line: line)
    }

    /// The value of the current unit, or `fallback`.
    @inlinable
    public func get(default fallback: Value, fileID: StaticString = #fileID, line: UInt = #line) -> Value {
        guard let value = self.currentValue() else { return fallback }
        if self.identity.mayBeBootValue { self.identity.reportBootValue(fileID: fileID, line: line) }
        return value
    }

    /// Sets the value for the rest of the current unit.
    ///
    /// Throws ``VariableError/Code/outsideUnit`` or ``VariableError/Code/recycled``; nothing is stored then.
    public func set(_ value: Value, fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) {
        try self.set(value, in: Scope.unitToSetIn(), fileID: fileID, line: line)
    }

    /// Forgets the value of the current unit. Does nothing when there is none. A load that is under way is disowned: its
    /// caller gets what it loads, and nobody else does.
    public func invalidate() {
        Scope.currentUnit?.remove(self.identity.id)
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
        let current = Scope.currentUnit
        guard let unit = current else { throw self.identity.missError(in: nil, fileID: fileID, line: line) }
        switch await unit.claim(self.identity.id) {
        case .ended: throw self.identity.missError(in: unit, fileID: fileID, line: line)
        case .loadsItself:
            throw VariableError(
                .recursiveLoad,
                "loading \"\(self.name)\" asks for \"\(self.name)\": load what it needs under another variable",
                fileID: fileID,
                line: line
            )
        case .value(let box):
            if self.identity.mayBeBootValue { self.identity.reportBootValue(fileID: fileID, line: line) }
            if self.identity.logs { self.identity.logHit(epoch: unit.epoch) }
            return TypedBox<Value>.value(in: box)
        case .load(let ticket):
            if self.identity.logs { self.identity.logMiss(.neverSet(epoch: unit.epoch)) }
            do {
                let value = try await load()
                let isPublished = unit.settle(ticket, with: TypedBox(value), for: self.identity)
                if isPublished, self.identity.logs { self.identity.logSet(epoch: unit.epoch) }
                return value
            } catch {
                unit.settle(ticket, with: nil, for: self.identity)
                throw error
            }
        }
    }

    @inlinable
    func currentValue() -> Value? {
        var value: Value?
        self.identity.readCurrent { value = .some(TypedBox<Value>.value(at: $0)) }
        return value
    }

    @inlinable
    func value(in unit: WorkUnit?) -> Value? {
        var value: Value?
        self.identity.read(in: unit) { value = .some(TypedBox<Value>.value(at: $0)) }
        return value
    }

    func set(_ value: Value, in unit: WorkUnit?, fileID: StaticString, line: UInt) throws(VariableError) {
        let place = self.identity.mayBeBootValue ? SetPlace(fileID: fileID, line: line) : nil
        guard let unit, unit.set(TypedBox(value), for: self.identity, at: place) else {
            throw self.identity.missError(in: unit, fileID: fileID, line: line)
        }
        if self.identity.logs { self.identity.logSet(epoch: unit.epoch) }
    }
}
