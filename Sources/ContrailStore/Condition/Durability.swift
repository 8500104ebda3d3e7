// The modes in which a trail is written: what a commit survives, and how often there is one.

extension TrailStore {
    /// What a commit survives and how often there is one, against what it costs. In all modes an event is in the ring before the
    /// call that caused it returns, and survives the death of the process there.
    public struct Durability: Hashable, Sendable, CustomStringConvertible {
        /// The name and its interval, as the status shows it: `ring`, `group(25)`, `full`.
        public let description: String
        /// How long an event waits for a commit at the most, while the database works. Commits come earlier when a quarter of the
        /// ring is taken.
        public let interval: Duration
        /// SQLite's setting.
        let synchronous: String

        /// The ring is the place for the last second: commits are rare and large, and when they reach the disk is left to the
        /// operating system. After a power loss the last ones are missing, and the database may be damaged; then it is set aside.
        public static let ring = Durability("ring", .seconds(1), synchronous: "OFF")

        /// Commits every 25 ms.
        public static let group = Durability.group(.milliseconds(25))

        /// Commits of a short while go to the disk together: after a power loss those since the last checkpoint may be missing,
        /// and the database is whole.
        ///
        /// - Parameter interval: From a millisecond to a minute. More than a minute means that only ``TrailStore/flush()`` and
        ///   ``TrailStore/close()`` commit.
        public static func group(_ interval: Duration) -> Durability {
            let interval = min(max(interval, .milliseconds(1)), .seconds(86_400))
            return Durability("group(\(interval.milliseconds))", interval, synchronous: "NORMAL")
        }

        /// Each commit is on the disk before the slots of its events are free and before ``TrailStore/flush()`` returns; there is
        /// one every 10 ms.
        public static let full = Durability("full", .milliseconds(10), synchronous: "FULL")

        private init(_ description: String, _ interval: Duration, synchronous: String) {
            self.description = description
            self.interval = interval
            self.synchronous = synchronous
        }

        /// Whether only those who ask get a commit.
        var waitsToBeAsked: Bool { self.interval > .seconds(60) }
    }
}
