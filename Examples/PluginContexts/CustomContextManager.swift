// A context of one's own over a recyclable variable.

public import ContextVariables

/// Enters and leaves something that a recyclable variable holds, as Python's `with` does.
public final class CustomContextManager<Value: Sendable>: Sendable {
    private let contextVariable: RecyclableVariable<Value>
    private let onExit: @Sendable (Value, (any Error)?) -> Void

    /// Makes a manager.
    ///
    /// - Parameters:
    ///   - contextVariable: What is entered.
    ///   - onExit: Cleans up; gets the value that was entered, and the error of the body or none.
    public init(
        _ contextVariable: RecyclableVariable<Value>,
        onExit: @escaping @Sendable (Value, (any Error)?) -> Void = { _, _ in }
    ) {
        self.contextVariable = contextVariable
        self.onExit = onExit
    }

    /// Runs the closure with the variable's value, and cleans up however it ends. Throws what the variable's read throws.
    public func use<Result>(_ body: (Value) throws -> Result) throws -> Result {
        let value = try self.contextVariable.get()
        do {
            let result = try body(value)
            self.onExit(value, nil)
            return result
        } catch {
            self.onExit(value, error)
            throw error
        }
    }
}
