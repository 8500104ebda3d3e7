// A value as the tables keep it: one reference, whatever its type.

/// A value of some variable, without its type.
///
/// Only the generic variable that made an identity puts boxes under it and takes them out. So a box found under the identity
/// of a variable of `Value` is a ``TypedBox`` of `Value`, and the cast back need not be checked.
typealias ValueBox = any AnyObject & Sendable

/// A value of type `Value`.
final class TypedBox<Value: Sendable>: Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }

    /// The value in a box that was found under the identity of a variable of `Value`.
    @inline(__always)
    static func value(in box: ValueBox) -> Value {
        unsafeDowncast(box, to: TypedBox<Value>.self).value
    }
}
