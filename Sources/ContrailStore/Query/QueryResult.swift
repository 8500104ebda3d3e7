// What a query answers.

/// One column of a result.
public struct QueryColumn: Hashable, Sendable {
    /// The column's name as SQLite gives it: the alias, else the expression's text.
    public let name: String
    /// `integer`, `real`, `text`, `blob` or `null`.
    ///
    /// It is the type of the first value in the column that is not null. When there is none it is the type that the
    /// column was declared with, and `null` when it is an expression.
    public let type: String

    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }
}

/// The rows of one query and what they cost.
public struct QueryResult: Hashable, Sendable {
    /// The columns, left to right. Names may repeat.
    public let columns: [QueryColumn]
    /// The rows; each has one value per column.
    public let rows: [[QueryValue]]
    /// Whether there were more rows than the limits let through.
    public let truncated: Bool
    /// Which limit cut the rows off, `rows` or `bytes`; nil when nothing was cut.
    public let reason: String?
    /// How long it took to compile and run, in milliseconds of wall time, waiting for a connection not included.
    public let milliseconds: Double
    /// The size of all values in bytes, counted as ``QueryLimits/bytes`` counts.
    public let bytes: Int

    package init(
        columns: [QueryColumn],
        rows: [[QueryValue]],
        reason: String?,
        milliseconds: Double,
        bytes: Int
    ) {
        self.columns = columns
        self.rows = rows
        self.truncated = reason != nil
        self.reason = reason
        self.milliseconds = milliseconds
        self.bytes = bytes
    }
}
