// The names of authorization schemes, and how credentials follow them.

/// A scheme of HTTP's `Authorization` by its name in small letters.
package struct AuthorizationScheme: Sendable {
    /// How what follows the name shows that it is no prose.
    enum Form: Sendable {
        /// Nearly nothing but credentials follows: a few words of prose are told apart.
        case token
        /// Base64 of a name, a colon and a password.
        case basic
        /// Pairs like `name="value"` to the end of the line.
        case pairs
        /// The name is a word of everyday prose: what follows must be long and mixed.
        case everyday
    }

    /// The name, in small letters; case does not count.
    package let name: StaticString
    let form: Form

    private init(_ name: StaticString, _ form: Form) {
        self.name = name
        self.form = form
    }

    /// Every scheme that is known.
    package static let all: [AuthorizationScheme] = [
        AuthorizationScheme("bearer", .token), AuthorizationScheme("dpop", .token),
        AuthorizationScheme("basic", .basic),
        AuthorizationScheme("digest", .pairs), AuthorizationScheme("hawk", .pairs),
        AuthorizationScheme("vapid", .pairs), AuthorizationScheme("oauth", .pairs),
        AuthorizationScheme("aws4-hmac-sha256", .pairs), AuthorizationScheme("scram-sha-256", .pairs),
        AuthorizationScheme("negotiate", .everyday), AuthorizationScheme("ntlm", .everyday),
        AuthorizationScheme("token", .everyday), AuthorizationScheme("apikey", .everyday),
        AuthorizationScheme("api-key", .everyday), AuthorizationScheme("geniekey", .everyday),
        AuthorizationScheme("ssws", .everyday),
    ]
}
