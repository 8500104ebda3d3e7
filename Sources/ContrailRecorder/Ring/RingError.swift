// Why a ring cannot be made or read.

/// Why the file of a ring cannot be made or read, and what to do about it.
package struct RingError: Error, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    package struct Code: Hashable, Sendable {
        private let name: String

        /// The file cannot be created, opened or mapped.
        package static let inaccessible = Code(name: "inaccessible")
        /// The file system has no room for it.
        package static let noRoom = Code(name: "noRoom")
        /// The file is no ring of this version.
        package static let notARing = Code(name: "notARing")
    }

    /// What kind of failure it is.
    package let code: Code
    /// What happened, and what to do.
    package let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    package var description: String { self.message }
}
