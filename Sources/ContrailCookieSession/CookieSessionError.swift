// The one public error type of this module.

/// An error of the sessions in cookies: what happened and what to do instead. It never holds key material or values.
///
/// Two errors are equal when their codes are equal; the message is for people and may change.
public struct CookieSessionError: Error, Hashable, Sendable {
    /// What kind of failure it is. Stable: safe to switch on and to use as a metric's label.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable text, in lower snake case.
        public let description: String

        init(_ description: String) {
            self.description = description
        }

        /// A store was to be made without a key.
        public static let noKey = Code("no_key")
        /// A key's secret is shorter than 16 bytes.
        public static let weakKey = Code("weak_key")
        /// The session is larger than what browsers keep in a cookie.
        public static let tooLarge = Code("too_large")
        /// The session's values cannot be encoded.
        public static let notEncodable = Code("not_encodable")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened and what to do next, in one line.
    public let message: String
    /// The `#fileID` of the call that failed.
    public let fileID: String
    /// The line of the call that failed.
    public let line: Int

    init(_ code: Code, _ message: String, fileID: StaticString = #fileID, line: UInt = #line) {
        self.code = code
        self.message = message
        self.fileID = "\(fileID)"
        self.line = Int(clamping: line)
    }

    /// Compares the codes.
    public static func == (left: CookieSessionError, right: CookieSessionError) -> Bool {
        left.code == right.code
    }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
    }
}

extension CookieSessionError: CustomStringConvertible {
    /// The code, the message and the site, in one line.
    public var description: String {
        "\(self.code): \(self.message) (\(self.fileID):\(self.line))"
    }
}
