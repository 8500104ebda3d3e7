// A value as the trail keeps it: itself when it is small, a description when it is not, nothing when it is secret.

/// A value as the trail keeps it.
public enum RecordedValue: Sendable, Equatable {
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
    /// Anything else: its type, and its size in bytes (of text) or elements (of a collection) where that is known.
    case described(type: String, size: Int?)
    /// A value under a secret name: it was not kept.
    case redacted

    /// Text up to this many bytes of UTF-8 is kept as it is.
    public static let textLimit = 40

    /// Records a value without calling any code of the value's own.
    ///
    /// Scalars and short text are kept, everything else is described by type: no `description`, no `Encodable`, no mirror.
    public init(_ value: (any Sendable)?) {
        guard let value else {
            self = .null
            return
        }
        switch value {
        case let value as String:
            let size = value.utf8.count
            self = size <= Self.textLimit ? .text(value) : .described(type: "String", size: size)
        case let value as Int: self = .integer(Int64(value))
        case let value as Bool: self = .bool(value)
        case let value as Double: self = .double(value)
        default: self = Self.lessCommon(value)
        }
    }

    private static func lessCommon(_ value: any Sendable) -> RecordedValue {
        if let value = value as? any FixedWidthInteger, let exact = Int64(exactly: value) {
            return .integer(exact)
        }
        if let value = value as? Float { return .double(Double(value)) }
        return .described(type: String(reflecting: type(of: value)), size: (value as? [any Sendable])?.count)
    }
}
