// How much of a trail is kept.

extension TrailStore {
    /// How large a trail may become and how far back it reaches: what is oldest goes first.
    ///
    /// The newest batch of events is never dropped for its size, and contexts that are pinned or not over yet keep what their
    /// rows need. Several writers of one trail should agree; the smallest cap and the shortest age count.
    public struct Retention: Hashable, Sendable {
        /// How many bytes database, log and rings may take together; nil for as many as there is room for.
        ///
        /// A cap that is smaller than the rings and 2 MiB counts as that. When nothing more can be freed, because a reader
        /// holds the log or what is pinned fills the trail, events are not stored: they stay in the ring until it is full and
        /// are then dropped, with a count, as with a full disk; the status says `over_cap`.
        public var cap: Int?
        /// How old an event may become; nil for any age. What is older goes within seconds, as long as a writer is there.
        public var age: Duration?
        /// How long one read may keep the log from being emptied before it is interrupted, if it is a ``QueryPool``'s of this
        /// process. Reads of others are left alone; the log says that they are in the way.
        public var readerPatience: Duration

        /// Makes a policy; by default 4 GiB of any age.
        public init(cap: Int? = 4 << 30, age: Duration? = nil, readerPatience: Duration = .seconds(30)) {
            self.cap = cap
            self.age = age
            self.readerPatience = readerPatience
        }

        /// Nothing is ever dropped.
        public static let unlimited = Retention(cap: nil)
    }
}
