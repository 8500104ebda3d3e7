// The shapes of secrets that a policy can look for.

extension RedactionPolicy {
    /// A shape by which a secret is known, whatever its name.
    ///
    /// The set grows: a pattern that joins ``standard`` later covers those who asked for the standard ones.
    public struct Pattern: Hashable, Sendable, CustomStringConvertible {
        /// The stable name, in lower snake case.
        public let description: String
        let detector: SecretDetectors

        private init(_ description: String, _ detector: SecretDetectors) {
            self.description = description
            self.detector = detector
        }

        /// A JSON web token: base64url whose first part decodes to a JSON object with `alg`, all its parts.
        public static let jsonWebToken = Pattern("json_web_token", .jsonWebToken)
        /// The credentials after the name of an authorization scheme: `Bearer …`, `Basic …`, `Digest …` and others.
        public static let authorization = Pattern("authorization", .authorization)
        /// A private key in PEM, from its first line to its last, and what is left of one that was cut.
        public static let privateKey = Pattern("private_key", .privateKey)
        /// The number of a payment card: 13 to 19 digits, with or without blanks and dashes, whose checksum is right. Whole
        /// numbers count as well when they begin as cards do, with 2 to 6.
        public static let cardNumber = Pattern("card_number", .cardNumber)
        /// A key of a service that publishes how its keys begin: `sk_live_…`, `ghp_…`, `AKIA…`, `xoxb-…` and others.
        public static let apiKey = Pattern("api_key", .apiKey)
        /// The password of a URL: `postgres://user:password@host`.
        public static let urlPassword = Pattern("url_password", .urlPassword)
        /// An e-mail address. Not among the standard ones: some services need it to find the trail of a person.
        public static let emailAddress = Pattern("email_address", .emailAddress)

        /// The patterns that are secret unless said otherwise: all but ``emailAddress``.
        public static let standard: Set<Pattern> = [
            .jsonWebToken, .authorization, .privateKey, .cardNumber, .apiKey, .urlPassword,
        ]

        /// Every pattern there is.
        public static let all: Set<Pattern> = Self.standard.union([.emailAddress])

        /// Compares the names.
        public static func == (left: Pattern, right: Pattern) -> Bool { left.detector == right.detector }

        /// Hashes the name.
        public func hash(into hasher: inout Hasher) { hasher.combine(self.detector.rawValue) }
    }
}
