// The identity of a variable, never reused while the process lives.

private import Synchronization

/// The identity of a context or recyclable variable. An object's address will not do: it is reused after the object dies.
package struct VariableID: Hashable, Sendable {
    private static let counter = Atomic<Int>(0)

    private let number: Int

    package static func next() -> VariableID {
        VariableID(number: self.counter.add(1, ordering: .relaxed).newValue)
    }
}
