// The identity of a variable, never reused while the process lives.

private import Synchronization

/// The identity of a context or recyclable variable. An object's address will not do: it is reused after the object dies.
///
/// Identities are dense and begin at 1, which is what ``VariableTable`` is made for.
@usableFromInline package struct VariableID: Hashable, Sendable {
    private static let counter = Atomic<Int>(0)

    let number: Int

    /// Reads the caller's value of the context variable of this identity, if there is one.
    @usableFromInline
    func readCurrent(_ reader: BoxReader) {
        Scope.readCurrent(self, reader)
    }

    package static func next() -> VariableID {
        VariableID(number: self.counter.wrappingAdd(1, ordering: .relaxed).newValue)
    }
}
