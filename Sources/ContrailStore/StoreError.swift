// The one public error type of this module.

/// An error of the trail's store: what failed, why, and what to do about it.
///
/// Two errors are equal when their codes are equal; the message is for people and may change.
public struct StoreError: Error, Hashable, Sendable {
    /// What kind of failure it is. Stable: safe to switch on, to use as a metric's label and in an HTTP body.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The stable text, in lower snake case.
        public let description: String

        package init(_ description: String) {
            self.description = description
        }

        /// The directory or file is missing, or may not be read or written.
        public static let inaccessible = Code("inaccessible")
        /// The file is not an SQLite database.
        public static let notADatabase = Code("not_a_database")
        /// The file is an SQLite database, but not a trail.
        public static let notATrail = Code("not_a_trail")
        /// The trail was written by a newer version of Contrail.
        public static let newerSchema = Code("newer_schema")
        /// The trail was written by an older version of Contrail and must be migrated by a writer first.
        public static let olderSchema = Code("older_schema")
        /// Another process holds the database's write lock for too long.
        public static let locked = Code("locked")
        /// The trail has reached its cap, and nothing more of it can be dropped.
        public static let overCap = Code("over_cap")
        /// The trail has no context with this id, or not any more.
        public static let unknownContext = Code("unknown_context")
        /// The database is damaged: pages of it cannot be what was written.
        public static let damaged = Code("damaged")
        /// SQLite reported any other failure.
        public static let databaseFailure = Code("database_failure")

        /// The query is empty, has more than one statement, has a NUL byte, or is too long.
        public static let queryMalformed = Code("query_malformed")
        /// SQLite could not compile the query: a syntax error, an unknown name, a wrong parameter.
        public static let queryInvalid = Code("query_invalid")
        /// The query wants more than reading the published names.
        public static let queryDenied = Code("query_denied")
        /// The query passed its time limit.
        public static let queryTimeout = Code("query_timeout")
        /// The query was cancelled by its caller.
        public static let queryCancelled = Code("query_cancelled")
        /// The query passed a limit of size: a value, an expression, the memory.
        public static let queryTooBig = Code("query_too_big")
        /// Too many queries are waiting for a connection.
        public static let queryQueueFull = Code("query_queue_full")
    }

    /// What kind of failure it is.
    public let code: Code
    /// What happened and what to do next, in one line.
    public let message: String
    /// The `#fileID` where the error was made.
    public let fileID: String
    /// The line where the error was made.
    public let line: Int

    package init(_ code: Code, _ message: String, fileID: String = #fileID, line: Int = #line) {
        self.code = code
        self.message = message
        self.fileID = fileID
        self.line = line
    }

    /// Compares the codes.
    public static func == (left: StoreError, right: StoreError) -> Bool {
        left.code == right.code
    }

    /// Hashes the code.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.code)
    }
}

extension StoreError: CustomStringConvertible {
    /// The code, the message and the site, in one line.
    public var description: String {
        "\(self.code): \(self.message) (\(self.fileID):\(self.line))"
    }
}
