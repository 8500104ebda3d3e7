// How long the write-ahead log is, as SQLite says after each commit.

internal import GRDB
private import GRDBSQLite
private import Synchronization

/// Takes note of the log's length after every commit of one connection, in place of SQLite's own checkpoint in the commit:
/// moving pages is the drain's business, between two commits.
final class LogGauge: Sendable {
    private let pageCount = Atomic<Int>(0)

    /// How long the log was after the last commit, in bytes.
    var bytes: Int { self.pages * LogKeeper.pageBytes }

    /// How many pages the log had after the last commit.
    var pages: Int { self.pageCount.load(ordering: .relaxed) }

    /// Takes note that the log was cut to nothing.
    func reset() { self.pageCount.store(0, ordering: .relaxed) }

    /// Makes itself known to the connection, which must not outlive it.
    func install(on database: Database) {
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                let gauge = Unmanaged<LogGauge>.fromOpaque(context).takeUnretainedValue()
                gauge.pageCount.store(Int(pages), ordering: .relaxed)
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }
}
