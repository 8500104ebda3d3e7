// What a session can hold.

/// A value of a session: what JSON can say, with whole numbers kept apart from fractional ones.
///
/// Coded as plain JSON, except for a `double` that JSON would give back as something else (`1.0`, infinity): that is
/// `{"$double": "1.0"}`, and an object whose one key begins with `$` gets one more. Every value comes back as it was, unless
/// it is nested more than ``maximumDepth`` deep: encoding throws then.
public enum SessionValue: Sendable, Hashable {
    /// Nothing, which is a value: a key that holds it is there.
    case null
    /// A truth value.
    case bool(Bool)
    /// A whole number.
    case int(Int)
    /// A number that may be fractional, infinite or no number at all.
    case double(Double)
    /// A text.
    case string(String)
    /// Values in order.
    case array([SessionValue])
    /// Values by name.
    case object([String: SessionValue])
}

extension SessionValue {
    /// Whether it is ``null``.
    public var isNull: Bool { self == .null }

    /// The truth value of a ``bool(_:)``; `nil` for others.
    public var boolValue: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number of an ``int(_:)``; `nil` for others.
    public var intValue: Int? {
        if case .int(let value) = self { value } else { nil }
    }

    /// The number of a ``double(_:)`` or ``int(_:)``; `nil` for others.
    public var doubleValue: Double? {
        switch self {
        case .double(let value): value
        case .int(let value): Double(value)
        default: nil
        }
    }

    /// The text of a ``string(_:)``; `nil` for others.
    public var stringValue: String? {
        if case .string(let value) = self { value } else { nil }
    }

    /// The elements of an ``array(_:)``; `nil` for others.
    public var arrayValue: [SessionValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    /// The members of an ``object(_:)``; `nil` for others.
    public var objectValue: [String: SessionValue]? {
        if case .object(let value) = self { value } else { nil }
    }
}

extension SessionValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// Makes ``null``.
    public init(nilLiteral: ()) { self = .null }

    /// Makes a ``bool(_:)``.
    public init(booleanLiteral value: Bool) { self = .bool(value) }

    /// Makes an ``int(_:)``.
    public init(integerLiteral value: Int) { self = .int(value) }

    /// Makes a ``double(_:)``.
    public init(floatLiteral value: Double) { self = .double(value) }

    /// Makes a ``string(_:)``.
    public init(stringLiteral value: String) { self = .string(value) }

    /// Makes an ``array(_:)``.
    public init(arrayLiteral elements: SessionValue...) { self = .array(elements) }

    /// Makes an ``object(_:)``; of a key that occurs twice, the last value counts.
    public init(dictionaryLiteral elements: (String, SessionValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

extension SessionValue: Codable {
    /// How deep arrays and objects may be nested in what is encoded. Encoders and decoders go down on the stack, and JSON's
    /// own end at twice as much.
    public static let maximumDepth = 256

    private static let doubleTag = "$double"

    /// Reads a value from any JSON.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .int(value)
        } else if let value = try? container.decode(Double.self) {
            self = .double(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([SessionValue].self) {
            self = .array(value)
        } else {
            self = Self.untagged(try container.decode([String: SessionValue].self))
        }
    }

    /// Writes the value; throws `EncodingError.invalidValue` when it is nested more than ``maximumDepth`` deep.
    public func encode(to encoder: any Encoder) throws {
        guard encoder.codingPath.count <= Self.maximumDepth else {
            throw EncodingError.invalidValue(
                // The value itself could be thousands deeper, and what prints an error would go down all the way.
                SessionValue.null,
                EncodingError.Context(
                    codingPath: [],
                    debugDescription:
                        "a session's value is nested more than \(Self.maximumDepth) deep: nest it less deeply"
                )
            )
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .int(let value): try container.encode(value)
        case .double(let value):
            if value.isFinite, value.rounded() != value {
                try container.encode(value)
            } else {
                try container.encode([Self.doubleTag: "\(value)"])
            }
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value):
            if value.count == 1, let only = value.first, only.key.utf8.first == UInt8(ascii: "$") {
                try container.encode(["$" + only.key: only.value])
            } else {
                try container.encode(value)
            }
        }
    }

    private static func untagged(_ object: [String: SessionValue]) -> SessionValue {
        guard object.count == 1, let only = object.first else { return .object(object) }
        if only.key == Self.doubleTag, case .string(let text) = only.value, let value = Double(text) {
            return .double(value)
        }
        guard only.key.utf8.starts(with: "$$".utf8) else { return .object(object) }
        return .object([String(only.key.dropFirst()): only.value])
    }
}
