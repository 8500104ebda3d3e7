// The numbered SQL files of this folder as values, in the order in which they are applied.

/// One numbered SQL file.
package struct Migration: Sendable {
    /// The file's name without its ending: the identifier under which a database remembers it.
    package let identifier: String
    /// The file's text.
    package let sql: String
}

/// All migrations, oldest first. Append; never edit or reorder what has been released.
package let migrations: [Migration] = [
    Migration(identifier: "v0001_trail", sql: String(decoding: PackageResources.v0001_trail_sql, as: UTF8.self)),
    Migration(identifier: "v0002_parties", sql: String(decoding: PackageResources.v0002_parties_sql, as: UTF8.self)),
    Migration(identifier: "v0003_iso", sql: String(decoding: PackageResources.v0003_iso_sql, as: UTF8.self)),
    Migration(identifier: "v0004_compact", sql: String(decoding: PackageResources.v0004_compact_sql, as: UTF8.self)),
    Migration(identifier: "v0005_history", sql: String(decoding: PackageResources.v0005_history_sql, as: UTF8.self)),
    Migration(
        identifier: "v0006_retention",
        sql: String(decoding: PackageResources.v0006_retention_sql, as: UTF8.self)
    ),
    Migration(identifier: "v0007_runs", sql: String(decoding: PackageResources.v0007_runs_sql, as: UTF8.self)),
]
