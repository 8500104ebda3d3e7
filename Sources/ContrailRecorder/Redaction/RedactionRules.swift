// A policy made ready for the scan: at which bytes it must look closer.

/// The rules of a policy, shared by its copies.
final class RedactionRules: Sendable {
    static let standard = RedactionRules(
        names: SecretNames(RedactionPolicy.defaultNames),
        patterns: RedactionPolicy.Pattern.standard
    )

    let names: SecretNames
    let detectors: SecretDetectors
    let marks: SecretMarks

    init(names: SecretNames, patterns: Set<RedactionPolicy.Pattern>) {
        let detectors = patterns.reduce(SecretDetectors.always) { $0.union($1.detector) }
        self.names = names
        self.detectors = detectors
        self.marks = SecretMarks(detectors)
    }
}

/// What is looked for.
struct SecretDetectors: OptionSet, Hashable, Sendable {
    let rawValue: UInt32

    /// Names with values behind `=`, `:` and `>`, and escapes, behind which anything may hide.
    static let always = SecretDetectors(rawValue: 1 << 0)
    static let jsonWebToken = SecretDetectors(rawValue: 1 << 1)
    static let authorization = SecretDetectors(rawValue: 1 << 2)
    static let privateKey = SecretDetectors(rawValue: 1 << 3)
    static let cardNumber = SecretDetectors(rawValue: 1 << 4)
    static let apiKey = SecretDetectors(rawValue: 1 << 5)
    static let urlPassword = SecretDetectors(rawValue: 1 << 6)
    static let emailAddress = SecretDetectors(rawValue: 1 << 7)
}
