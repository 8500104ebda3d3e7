// A value as the tables keep it: one reference, whatever its type.

/// A value of some variable, without its type.
///
/// Only the generic variable that made an identity puts boxes under it and takes them out. So a box found under the identity
/// of a variable of `Value` is a ``TypedBox`` of `Value`, and the cast back need not be checked.
@usableFromInline typealias ValueBox = any AnyObject & Sendable

/// Takes a value out of its box. It is called under the lock of the table that holds the box, and so may only copy.
@usableFromInline typealias BoxReader = (UnsafeRawPointer) -> Void

/// A value of type `Value`.
@usableFromInline
final class TypedBox<Value: Sendable>: Sendable {
    @usableFromInline let value: Value

    @inlinable
    init(_ value: Value) {
        self.value = value
    }

    /// The value in a box that was found under the identity of a variable of `Value`.
    @inlinable
    static func value(in box: ValueBox) -> Value {
        unsafeDowncast(box, to: TypedBox<Value>.self).value
    }

    /// The value in a box that a ``BoxReader`` is given, under the identity of a variable of `Value`.
    ///
    /// The table holds the box for as long as its lock is held, so that the box need not be retained for the copy.
    @inlinable
    static func value(at box: UnsafeRawPointer) -> Value {
        Unmanaged<TypedBox<Value>>.fromOpaque(box)._withUnsafeGuaranteedRef { $0.value }
    }
}
