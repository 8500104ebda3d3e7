// The one public error type of this module.

/// An error of a variable: which one, why, and what to do instead.
///
/// Two errors are equal when their codes are equal; the message is for people and may change.
public struct VariableError: Error, Hashable, Sendable {
    /// What kind of failure it is. Stable: safe to switch on and to use as a metric's label.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable text, in lower snake case.
        public let description: String

        package init(_ description: String) {
            self.description = description
        }

        /// The variable was never set here and has no default.
        public static let neverSet = Code("never_set")
        /// The recyclable variable was set in a unit that has ended.
        public static let recycled = Code("recycled")
        /// Loading the recyclable variable asks for the variable itself.
        public static let recursiveLoad = Code("recursive_load")
        /// There is no unit of work here.
        public static let outsideUnit = Code("outside_unit")
        /// There is no scope here that could hold the value.
        public static let outsideScope = Code("outside_scope")
        /// The scope belongs to another task.
        public static let notOwner = Code("not_owner")
        /// The token was used already.
        public static let tokenUsed = Code("token_used")
        /// The token was made by another variable.
        public static let tokenOtherVariable = Code("token_other_variable")
        /// The token was made in another context.
        public static let tokenOtherContext = Code("token_other_context")
        /// The snapshot is being run already.
        public static let snapshotEntered = Code("snapshot_entered")
        /// The snapshot has no value of the variable.
        public static let missingKey = Code("missing_key")
        /// The object that a proxy stands for is not there.
        public static let unbound = Code("unbound")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened and what to do next, in one line.
    public let message: String
    /// The `#fileID` of the call that failed.
    public let fileID: String
    /// The line of the call that failed.
    public let line: Int

    package init(_ code: Code, _ message: String, fileID: StaticString, line: UInt) {
        self.code = code
        self.message = message
        self.fileID = "\(fileID)"
        self.line = Int(clamping: line)
    }

    /// Compares the codes.
    public static func == (left: VariableError, right: VariableError) -> Bool {
        left.code == right.code
    }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
    }
}

extension VariableError: CustomStringConvertible {
    /// The code, the message and the site, in one line.
    public var description: String {
        "\(self.code): \(self.message) (\(self.fileID):\(self.line))"
    }
}
