// A value that shows nothing of itself and is never recorded.

/// A value that must not be shown: wrapped, it is recorded as redacted under any name, and printing, interpolating, dumping
/// and mirroring it show ``RedactionPolicy/placeholder``.
///
/// ```swift
/// let key = Secret(try readKey())
/// g["signer"] = key            // the trail says that something was set, and not what
/// sign(message, with: key.value)
/// ```
///
/// Only ``value`` gives it out. It has no coding on purpose: what encodes itself ends up in files.
public struct Secret<Value>: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// What is hidden.
    public let value: Value

    /// Hides a value.
    public init(_ value: Value) {
        self.value = value
    }

    /// ``RedactionPolicy/placeholder``.
    public var description: String { RedactionPolicy.placeholder }

    /// ``RedactionPolicy/placeholder``.
    public var debugDescription: String { RedactionPolicy.placeholder }

    /// Nothing.
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Secret: Sendable where Value: Sendable {}

extension Secret: Equatable where Value: Equatable {}

extension Secret: Hashable where Value: Hashable {}

/// Tells a secret of any type from other values.
protocol SecretValue {}

extension Secret: SecretValue {}
