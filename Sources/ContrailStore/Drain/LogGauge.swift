// How long the write-ahead log is, as SQLite says after each commit.

internal import GRDB
private import GRDBSQLite
private import Synchronization

/// Takes note of the log's length after every commit of one connection, in place of SQLite's own checkpoint in the commit:
/// moving pages is the drain's business, between two commits.
final class LogGauge: Sendable {
    private let pageCount = Atomic<Int>(0)
    private let writtenCount = Atomic<Int>(0)
    private let largestCount = Atomic<Int>(0)

    /// How long the log was after the last commit, in bytes.
    var bytes: Int { self.pages * LogKeeper.pageBytes }

    /// How many pages the log had after the last commit.
    var pages: Int { self.pageCount.load(ordering: .relaxed) }

    /// How many pages this connection has written into the log. Other connections write there too, so its length does not say.
    var written: Int { self.writtenCount.load(ordering: .relaxed) }

    /// How many pages the largest commit of this connection had since this was asked before.
    func takeLargest() -> Int { self.largestCount.exchange(0, ordering: .relaxed) }

    /// Takes note that the log was cut to nothing.
    func reset() { self.pageCount.store(0, ordering: .relaxed) }

    /// Makes itself known to the connection, which must not outlive it.
    func install(on database: Database) {
        sqlite3_wal_hook(
            database.sqliteConnection,
            { context, connection, _, pages in
                guard let context else { return SQLITE_OK }
                let gauge = Unmanaged<LogGauge>.fromOpaque(context).takeUnretainedValue()
                var (written, highest): (CInt, CInt) = (0, 0)
                sqlite3_db_status(connection, SQLITE_DBSTATUS_CACHE_WRITE, &written, &highest, 1)
                gauge.note(commit: Int(written), pages: Int(pages))
                return SQLITE_OK
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func note(commit: Int, pages: Int) {
        self.pageCount.store(pages, ordering: .relaxed)
        self.writtenCount.add(commit, ordering: .relaxed)
        self.largestCount.max(commit, ordering: .relaxed)
    }
}
