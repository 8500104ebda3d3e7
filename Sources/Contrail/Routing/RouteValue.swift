// What a rule's parameter matched.

/// The value that a parameter of a route took from the path, such as 7 for `<int:id>` in `/orders/7` (`URL-01`).
public enum RouteValue: Sendable, Hashable {
    /// What `<string:name>` or `<name>` matched: one segment, percent-decoded, never empty.
    case string(String)
    /// What `<int:name>` matched: digits only.
    case int(Int)

    /// The text of a ``string(_:)``; `nil` for a number.
    public var stringValue: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The number of an ``int(_:)``; `nil` for a text, also for one of digits.
    public var intValue: Int? {
        if case .int(let number) = self { number } else { nil }
    }
}

extension RouteValue: CustomStringConvertible {
    /// The value as it stands in a path, decoded.
    public var description: String {
        switch self {
        case .string(let text): text
        case .int(let number): "\(number)"
        }
    }
}
