// One value that goes into a query as a parameter or comes out of it as a cell.

/// An SQLite value.
public enum QueryValue: Hashable, Sendable {
    /// SQL's NULL.
    case null
    /// A signed 64-bit integer. Larger than what JSON readers keep exactly: encode with care above 2^53.
    case integer(Int64)
    /// A floating-point number; infinities are possible, not-a-number is not (SQLite makes it a null).
    case real(Double)
    /// Text. Bytes that are not valid UTF-8, as in `CAST(x'c328' AS TEXT)`, are read as U+FFFD; U+0000 is kept.
    case text(String)
    /// Bytes.
    case blob([UInt8])

    /// The name of the value's storage class: `null`, `integer`, `real`, `text` or `blob`.
    public var typeName: String {
        switch self {
        case .null: "null"
        case .integer: "integer"
        case .real: "real"
        case .text: "text"
        case .blob: "blob"
        }
    }
}

extension QueryValue: ExpressibleByNilLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByStringLiteral
{
    /// Makes a null.
    public init(nilLiteral: ()) {
        self = .null
    }

    /// Makes an integer.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    /// Makes a real.
    public init(floatLiteral value: Double) {
        self = .real(value)
    }

    /// Makes a text.
    public init(stringLiteral value: String) {
        self = .text(value)
    }
}
