// A value as the trail keeps it: itself when it is small, a description when it is not, nothing when it is secret.

/// A value as the trail keeps it.
package enum RecordedValue: Sendable, Equatable {
    /// A stored `nil`.
    case null
    /// A Boolean, exact.
    case bool(Bool)
    /// An integer, exact.
    case integer(Int64)
    /// A floating-point number, exact.
    case double(Double)
    /// Text of at most ``textLimit`` bytes, exact.
    case text(String)
    /// Anything else: its type, and its size in bytes (of text) or elements (of an array, set or dictionary).
    case described(type: String, size: Int?)
    /// A value under a secret name, a value that looks like a secret, or a ``Secret``: it was not kept.
    case redacted
    /// An object: its type, and the number that tells it from others while it lives.
    case object(type: String, identity: UInt64)
    /// A value whose JSON is with the ``PayloadDesk``, or will be: its type and size until then. The drain puts ``encoded(_:)`` in its
    /// place. This and the next are held apart: a copy of the common ones then costs no more than one of their text.
    indirect case waiting(type: String, size: Int?, ticket: UInt32)
    /// A value as JSON.
    indirect case encoded(EncodedPayload)

    /// Text up to this many bytes of UTF-8 is kept as it is.
    package static let textLimit = 40

    /// Records a value without calling any code of the value's own.
    ///
    /// Scalars and short text are kept, a ``Secret`` is not, everything else is described by type: no `description`, no
    /// `Encodable`, no mirror.
    package init(_ value: (any Sendable)?) {
        guard let value else {
            self = .null
            return
        }
        self = Self.kept(value)
    }

    /// Records a value that is there, as its twin does.
    package init(present value: any Sendable) {
        self = Self.kept(value)
    }

    // Inlined into what opens the existential: called, these three ask the runtime for the type and its size.
    @inline(__always)
    fileprivate static func kept<Value>(_ value: Value) -> RecordedValue {
        self.common(value) ?? self.lessCommon(value)
    }

    /// The types that most values have, told by comparing the type alone: a cast costs twenty times as much.
    @inline(__always)
    private static func common<Value>(_ value: Value) -> RecordedValue? {
        if Value.self == Int.self { return .integer(Int64(self.same(value, as: Int.self))) }
        if Value.self == String.self {
            let text = self.same(value, as: String.self)
            let size = text.utf8.count
            return size <= Self.textLimit ? .text(text) : .described(type: "String", size: size)
        }
        if Value.self == Bool.self { return .bool(self.same(value, as: Bool.self)) }
        if Value.self == Double.self { return .double(self.same(value, as: Double.self)) }
        return nil
    }

    /// The value as the type that it has. The caller has compared the two types and found one: so nothing is reinterpreted.
    @inline(__always)
    private static func same<Value, Known>(_ value: Value, as type: Known.Type) -> Known {
        unsafeBitCast(value, to: type)
    }

    /// What is kept of the value under a secret name: whether there was one.
    package var hidden: RecordedValue {
        if case .null = self { self } else { .redacted }
    }

    private static func lessCommon(_ value: Any) -> RecordedValue {
        // The standard library's own types one by one: a cast to `any FixedWidthInteger` would call a stranger's conformance.
        let integer: Int64? =
            switch value {
            case let value as Int64: value
            case let value as Int32: Int64(value)
            case let value as Int16: Int64(value)
            case let value as Int8: Int64(value)
            case let value as UInt: Int64(exactly: value)
            case let value as UInt64: Int64(exactly: value)
            case let value as UInt32: Int64(value)
            case let value as UInt16: Int64(value)
            case let value as UInt8: Int64(value)
            case let value as Int128: Int64(exactly: value)
            case let value as UInt128: Int64(exactly: value)
            default: nil
            }
        if let integer { return .integer(integer) }
        if let value = value as? Float { return .double(Double(value)) }
        if let value = value as? any OptionalValue { return value.recorded }
        if value is any SecretValue { return .redacted }
        return .described(type: String(reflecting: type(of: value)), size: (value as? any CountedCollection)?.count)
    }
}

/// An optional that was stored as a value: its nil is a stored nil like any other, and what it wraps is the value.
private protocol OptionalValue {
    var recorded: RecordedValue { get }
}

extension Optional: OptionalValue {
    fileprivate var recorded: RecordedValue {
        switch self {
        case .none: .null
        case .some(let wrapped): RecordedValue.kept(wrapped)
        }
    }
}

/// The collections whose count costs nothing and calls nobody's code.
private protocol CountedCollection {
    var count: Int { get }
}

extension Array: CountedCollection {}
extension Set: CountedCollection {}
extension Dictionary: CountedCollection {}
