// How a trail is being written, and how well that goes.

extension TrailStore {
    /// What a commit survives, against what it costs.
    public struct Durability: Hashable, Sendable, CustomStringConvertible {
        /// The name, as the status shows it.
        public let description: String
        /// SQLite's setting.
        let synchronous: String

        /// Commits are left to the operating system: after a power loss the last ones may be missing, and the database may be
        /// damaged. For trails that must cost as little as possible.
        public static let ring = Durability(description: "ring", synchronous: "OFF")
        /// Commits of a short while go to the disk together: after a power loss the last ones may be missing, and the database
        /// is whole.
        public static let group = Durability(description: "group", synchronous: "NORMAL")
        /// Each commit is on the disk before the next begins.
        public static let full = Durability(description: "full", synchronous: "FULL")

        private init(description: String, synchronous: String) {
            self.description = description
            self.synchronous = synchronous
        }
    }

    /// Why nothing can be stored at the moment. The recorder goes on; what does not fit its buffer is dropped with a count.
    public struct Degradation: Hashable, Sendable, CustomStringConvertible {
        /// The name, as the status shows it. Stable.
        public let description: String

        /// The disk or a quota is full.
        public static let diskFull = Degradation(description: "disk_full")
        /// The file or its file system may not be written.
        public static let readOnly = Degradation(description: "read_only")
        /// Another process holds the write lock.
        public static let locked = Degradation(description: "locked")
        /// The database is damaged.
        public static let corrupt = Degradation(description: "corrupt")
        /// The trail has reached its cap, and nothing more of it can be dropped.
        public static let overCap = Degradation(description: "over_cap")
        /// SQLite reports any other failure.
        public static let failing = Degradation(description: "failing")

        private init(description: String) {
            self.description = description
        }
    }

    /// How the writing of a trail stands.
    public struct Status: Sendable {
        /// What a commit survives.
        public let durability: Durability
        /// How many events wait to be stored.
        public let waiting: UInt64
        /// How long the oldest commit that is due has been due: the time since the last one while events wait, else zero.
        public let lag: Duration
        /// When the last commit succeeded, in UTC microseconds since 1970; nil before the first.
        public let lastCommit: Int64?
        /// How long the write-ahead log was after it, in bytes.
        public let logBytes: Int
        /// Why nothing can be stored; nil while all is well.
        public let degradation: Degradation?
        /// Whether the log has passed its share of the cap, since a reader keeps it from being emptied.
        public let isLogTooLong: Bool
        /// The longest that retention has kept the drain from writing in this run: one slice with its commit.
        public let longestRetentionPause: Duration
    }

    /// How the writing stands now.
    public var status: Status { self.drain.status }
}
