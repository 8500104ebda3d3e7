// What is secret: by its name, and by its shape. What is redacted is never stored, so it cannot leak.

/// Decides what must not be stored: values under secret names, and what looks like a secret wherever it is.
///
/// A name is secret when it contains one of ``names``, compared without case and without `_`, `-`, `.` and blanks:
/// `api_key` also covers `X-API-Key` and `stripeApiKey`. Of names of up to three letters, one of its words must be the name:
/// `pin` covers `card_pin` and `userPin`, and not `shipping`. Names count as keys of `g`, as names of headers, and inside
/// free text (`name=value`, `name: value`, `<name>value</name>`, parts of forms). A ``Pattern`` covers what has the shape of
/// a secret, under any name and under none.
public struct RedactionPolicy: Sendable {
    /// What stands in place of a redacted piece of text.
    public static let placeholder = "[redacted]"

    /// The names that are secret unless said otherwise.
    public static let defaultNames = [
        "password", "passwd", "passphrase", "pwd", "secret", "token", "apikey", "accesskey", "privatekey", "credential",
        "authorization", "bearer", "cookie", "sessionid", "csrf", "signature", "creditcard", "cardnumber", "cvv", "cvc",
        "iban", "ssn", "pin",
    ]

    /// The secret names, normalised: lower case letters and digits only.
    public let names: [String]
    /// The shapes that are secret.
    public let patterns: Set<Pattern>

    let rules: RedactionRules

    /// Makes a policy. Names are normalised as described above; empty ones are ignored.
    ///
    /// Given lists take the place of the standard ones: add to ``defaultNames`` and ``Pattern/standard`` to keep them.
    public init(names: [String] = RedactionPolicy.defaultNames, patterns: Set<Pattern> = Pattern.standard) {
        // Comparing a list with itself costs nothing, and policies are made in places that nobody counts.
        let isStandard = names == Self.defaultNames && patterns == Pattern.standard
        let rules = isStandard ? RedactionRules.standard : RedactionRules(names: SecretNames(names), patterns: patterns)
        self.names = rules.names.texts
        self.patterns = patterns
        self.rules = rules
    }

    /// Whether values under this name must not be stored.
    public func isSecret(_ name: String) -> Bool {
        var name = name
        return name.withUTF8 { self.rules.names.contains($0.indices, of: $0) }
    }
}
