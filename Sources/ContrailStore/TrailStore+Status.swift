// How a trail is being written, and how well that goes.

public import ContrailRecorder

extension TrailStore {
    /// How the writing of a trail stands.
    public struct Status: Sendable {
        /// What a commit survives, and how often there is one.
        public let durability: Durability
        /// What became of the events so far.
        public let accounting: Accounting
        /// How many events wait to be stored.
        public var waiting: UInt64 { self.accounting.buffered }
        /// How long the oldest event that waits has waited at the most; zero when none does.
        public let lag: Duration
        /// When the last commit succeeded, in UTC microseconds since 1970; nil before the first.
        public let lastCommit: Int64?
        /// How long the write-ahead log was after it, in bytes.
        public let logBytes: Int
        /// Why nothing can be stored; nil while all is well.
        public let degradation: Degradation?
        /// Since when, in UTC microseconds since 1970; nil while all is well.
        public let degradedSince: Int64?
        /// Databases that were found damaged by this run, under the names that they were given.
        public let setAside: [String]
        /// Whether the log has passed its share of the cap, since a reader keeps it from being emptied.
        public let isLogTooLong: Bool
        /// The longest that retention has kept the drain from writing in this run: one slice with its commit.
        public let longestRetentionPause: Duration
        /// The ring.
        public let ring: Ring

        /// How the ring of the run stands.
        public struct Ring: Sendable {
            /// Its file; nil when it is memory of the process alone.
            public let path: String?
            /// The directory of its file; nil when it has none.
            public var directory: String? {
                self.path.map { String($0[..<($0.lastIndex(of: "/") ?? $0.endIndex)]) }
            }
            /// How many slots of 64 bytes it has.
            public let slots: Int
            /// How many of them are taken.
            public let slotsInUse: Int
            /// How much room for names is taken, from 0 to 1. At 1 new names are written out in each record.
            public let namesFill: Double

            init(_ recorder: FlightRecorder, path: String?) {
                self.path = path
                self.slots = recorder.capacity
                self.slotsInUse = recorder.slotsInUse
                self.namesFill = recorder.namesFill
            }
        }
    }

    /// How the writing stands now.
    public var status: Status { self.drain.status }
}
