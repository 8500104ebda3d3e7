// A variable whose value follows the line of execution, with tokens that undo a change.

private import Synchronization

/// A variable whose value belongs to the current context: it follows `await`, structured children read it, and a child
/// that sets it needs a scope of its own.
///
/// The value hangs on the innermost scope (`withAppContext`, `withRequestContext`, ``withValue(_:_:)``), or on the
/// bare thread when no task runs. `Task {}` inherits it, `Task.detached`, Dispatch and NIO callbacks do not.
/// Ports `CV-01` to `CV-06`.
public final class ContextVariable<Value: Sendable>: Sendable {
    /// Undoes one ``set(_:fileID:line:)``.
    public final class Token: Sendable {
        /// The value that ``ContextVariable/reset(_:fileID:line:)`` restores; `nil` when the variable had none.
        public let oldValue: Value?

        fileprivate let variable: VariableID
        fileprivate let oldBox: ValueBox?
        fileprivate let branch: VariableBranch
        fileprivate let isUsed = Atomic<Bool>(false)

        fileprivate init(variable: VariableID, oldBox: ValueBox?, branch: VariableBranch) {
            self.variable = variable
            self.oldValue = oldBox.map { TypedBox<Value>.value(in: $0) }
            self.oldBox = oldBox
            self.branch = branch
        }
    }

    /// The name, for messages.
    public let name: String

    @usableFromInline let id = VariableID.next()
    @usableFromInline let defaultValue: Value?

    /// Makes a variable. Make each once, as a global or static constant.
    public init(_ name: String, default defaultValue: Value? = nil) {
        self.name = name
        self.defaultValue = defaultValue
    }

    /// Whether it has a value here. A declared default does not count.
    public var isSet: Bool {
        Scope.current?.contains(self.id) ?? false
    }

    /// The value here, or the default; throws ``VariableError/Code/neverSet`` when there is neither.
    @inlinable
    public func get(fileID: StaticString = #fileID, line: UInt = #line) throws(VariableError) -> Value {
        if let value = self.currentValue() ?? self.defaultValue { return value }
        throw self.missingError(fileID: fileID, line: line)
    }

    /// The value here, or `fallback`, which wins over the declared default.
    @inlinable
    public func get(default fallback: Value) -> Value {
        self.currentValue() ?? fallback
    }

    /// Sets the value in the current scope until the token is given to ``reset(_:fileID:line:)`` or the scope ends.
    ///
    /// Contexts that one task or thread nests share their variables: a value that is set in the inner one stays in the outer
    /// one, as in Python. ``withValue(_:_:)`` has variables of its own.
    ///
    /// Throws ``VariableError/Code/notOwner`` from a child task: open a scope there with ``withValue(_:_:)``.
    /// Throws ``VariableError/Code/outsideScope`` in a task that has no scope.
    @discardableResult
    public func set(
        _ value: Value,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(VariableError) -> Token {
        let branch = try self.writableBranch(fileID: fileID, line: line)
        let old = branch.exchange(TypedBox(value), for: self.id)
        Scope.threadWhoseRoot(holds: branch)?.noteSet(self.id, self.name, fileID: fileID, line: line)
        return Token(variable: self.id, oldBox: old, branch: branch)
    }

    /// Restores what the token remembers, whatever happened since (`CV-03`).
    ///
    /// Checked in this order: ``VariableError/Code/tokenUsed``, ``VariableError/Code/tokenOtherVariable``,
    /// ``VariableError/Code/tokenOtherContext``. A refused reset changes nothing, and the token stays usable.
    public func reset(
        _ token: Token,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(VariableError) {
        func refuse(_ code: VariableError.Code, _ why: String) -> VariableError {
            VariableError(code, "cannot reset \"\(self.name)\": \(why)", fileID: fileID, line: line)
        }
        if token.isUsed.load(ordering: .acquiring) {
            throw refuse(.tokenUsed, "the token was used already; take a new one from set(_:)")
        }
        if token.variable != self.id {
            throw refuse(.tokenOtherVariable, "the token was made by another variable; give it to that one")
        }
        let branch = try self.writableBranch(fileID: fileID, line: line)
        if token.branch !== branch {
            throw refuse(.tokenOtherContext, "the token was made in another context; reset it there")
        }
        guard !token.isUsed.exchange(true, ordering: .acquiringAndReleasing) else {
            throw refuse(.tokenUsed, "the token was used already; take a new one from set(_:)")
        }
        branch.exchange(token.oldBox, for: self.id)
        Scope.threadWhoseRoot(holds: branch)?.noteReset(self.id)
    }

    /// Runs the closure in a scope of its own in which the variable has this value.
    ///
    /// Works in every task and thread. What the closure sets with ``set(_:fileID:line:)`` ends with it.
    public func withValue<Result, Failure: Error>(
        _ value: Value,
        _ operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try self.scope(with: value).run(operation)
    }

    /// Runs the closure in a scope of its own in which the variable has this value.
    ///
    /// Works in every task. What the closure sets with ``set(_:fileID:line:)`` ends with it. Child tasks inherit the scope.
    public nonisolated(nonsending) func withValue<Result, Failure: Error>(
        _ value: Value,
        _ operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        try await self.scope(with: value).run(operation)
    }

    @inlinable
    func currentValue() -> Value? {
        var value: Value?
        self.id.readCurrent { value = .some(TypedBox<Value>.value(at: $0)) }
        return value
    }

    @usableFromInline
    func missingError(fileID: StaticString, line: UInt) -> VariableError {
        VariableError(
            .neverSet,
            "the context variable \"\(self.name)\" has no value here and no default: set it in this scope or an outer one",
            fileID: fileID,
            line: line
        )
    }

    private func scope(with value: Value) -> Scope {
        let scope = Scope.forking()
        scope.branch.exchange(TypedBox(value), for: self.id)
        return scope
    }

    private func writableBranch(fileID: StaticString, line: UInt) throws(VariableError) -> VariableBranch {
        let caller = ExecutionID.current
        guard let scope = Scope.around(caller) else {
            throw VariableError(
                .outsideScope,
                "a task has no scope that could hold \"\(self.name)\": use withValue(_:_:), or set it inside withAppContext",
                fileID: fileID,
                line: line
            )
        }
        guard scope.owner == caller else {
            throw VariableError(
                .notOwner,
                "this scope belongs to another task: set \"\(self.name)\" with withValue(_:_:) in a scope of this task",
                fileID: fileID,
                line: line
            )
        }
        return scope.branch
    }
}
