// What one ad-hoc query may use before it is stopped.

/// How much time, how many rows and how many bytes one query may use.
///
/// Limits above the maximum, and limits of zero or less, are pulled into range by ``clamped()``; a pool does that with
/// every query, so no caller can ask for more than the maximum.
public struct QueryLimits: Hashable, Sendable {
    /// The longest time that any query may run: 10 seconds.
    public static let longestTime: Duration = .seconds(10)
    /// The most rows that any result may have: 10,000.
    public static let mostRows = 10_000
    /// The most bytes that any result may have: 8 MiB.
    public static let mostBytes = 8 * 1024 * 1024

    /// How long the query may run, compiling included, waiting for a connection not. Passing it is `queryTimeout`.
    public var time: Duration
    /// How many rows are returned at most. Further rows are cut off, and the result says so; it is no error.
    public var rows: Int
    /// How many bytes of values are returned at most: the length of text and blobs, 8 for a number, 1 for a null.
    ///
    /// The row that would pass the limit is cut off with all that follow it, and the result says so; it is no error.
    public var bytes: Int

    /// Makes limits; the defaults are 1 second, 1,000 rows and 8 MiB.
    public init(time: Duration = .seconds(1), rows: Int = 1000, bytes: Int = QueryLimits.mostBytes) {
        self.time = time
        self.rows = rows
        self.bytes = bytes
    }

    /// The same limits pulled into range: 1 millisecond to 10 seconds, 1 to 10,000 rows, 1 byte to 8 MiB.
    public func clamped() -> QueryLimits {
        QueryLimits(
            time: min(max(self.time, .milliseconds(1)), Self.longestTime),
            rows: min(max(self.rows, 1), Self.mostRows),
            bytes: min(max(self.bytes, 1), Self.mostBytes)
        )
    }
}
