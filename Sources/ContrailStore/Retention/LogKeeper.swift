// Keeps the write-ahead log short, also where readers overlap or stay.

internal import Foundation
internal import GRDB
internal import Logging
private import Synchronization

/// Moves the log into the database when it is long enough, and sees to it that it begins anew.
///
/// A log begins anew only when nobody reads from it. Readers that come and go are waited for, a moment at a time, while new
/// ones read from the database itself; of a query pool's those that stay are interrupted; those of other programs are
/// reported.
///
/// Unchecked: what is not behind the atomic is touched by the drain's thread alone.
final class LogKeeper: @unchecked Sendable {
    /// What a page takes in the log: itself, and a header.
    static let pageBytes = 4096 + 24
    /// How long readers are waited for that may be about to end, in milliseconds. Nobody can write meanwhile.
    private static let readerWait = 50
    private static let retryPause: Duration = .milliseconds(250)
    /// Others write and move the log too, one at a time. They are waited for so long, and asked for again after so many
    /// microseconds.
    private static let turnPatience: Duration = .milliseconds(50)
    private static let turnPause: UInt32 = 5000

    private let queue: DatabaseQueue
    private let gauge: LogGauge
    private let lockPatience: Int
    private let readerPatience: Duration
    private let logger: Logger

    /// The part of the cap that is the log's, in bytes.
    let share: Int
    /// From how many pages on they are moved into the database: about as many as the connection keeps in memory. A page that was
    /// written several times by then is moved once.
    private let checkpointPages: Int
    /// Since when the log could not begin anew.
    private var blockedSince: ContinuousClock.Instant?
    private var nextAttempt = ContinuousClock.now
    private let isOverShare = Atomic<Bool>(false)

    init(_ queue: DatabaseQueue, gauge: LogGauge, retention: TrailStore.Retention, lockPatience: Int, logger: Logger) {
        self.queue = queue
        self.gauge = gauge
        self.lockPatience = lockPatience
        self.readerPatience = retention.readerPatience
        self.logger = logger
        self.share = min((retention.cap ?? .max) / 4, 256 << 20)
        let cachedPages = TrailDatabase.cacheBytes(cap: retention.cap) / Self.pageBytes
        self.checkpointPages = max(16, min(cachedPages, self.share / Self.pageBytes / 2))
    }

    /// Whether the log is longer than its share, because a reader keeps it from beginning anew. Any thread.
    var isTooLong: Bool { self.isOverShare.load(ordering: .relaxed) }

    /// How long the file of the log is, in bytes.
    var bytes: Int {
        (try? FileManager.default.attributesOfItem(atPath: self.queue.path + "-wal"))?[.size] as? Int ?? 0
    }

    /// Looks at the log after a commit: one comparison while it is short. Neither fails nor waits for long.
    func didCommit() {
        let pages = self.gauge.pages
        guard pages >= self.checkpointPages else {
            if self.blockedSince != nil { self.didBeginAnew() }
            return
        }
        // Not much longer than when it was moved the first time: the next commit begins anew unless somebody reads from it.
        if pages < self.checkpointPages * 2 {
            self.checkpoint("PASSIVE")
            return
        }
        guard ContinuousClock.now >= self.nextAttempt else { return }
        self.empty()
    }

    /// Moves all of the log into the database and cuts it to nothing. Returns false when a reader was in the way.
    @discardableResult
    func empty() -> Bool {
        let begin = ContinuousClock.now
        var outcome = self.checkpoint("TRUNCATE")
        while outcome == .notTried || outcome == .heldByWriter, ContinuousClock.now - begin < Self.turnPatience {
            usleep(Self.turnPause)
            outcome = self.checkpoint("TRUNCATE")
        }
        if outcome == .done {
            self.didBeginAnew()
            return true
        }
        let now = ContinuousClock.now
        self.nextAttempt = now + Self.retryPause
        guard let since = self.blockedSince else {
            self.blockedSince = now
            return false
        }
        // Who is in the way again, and later still, is no writer: those leave nothing behind.
        guard outcome == .heldByReader || now - since >= Self.retryPause else { return false }
        if now - since >= self.readerPatience {
            let count = QueryPools.interrupt(path: self.queue.path, begunBefore: since)
            if count > 0 {
                self.logger.notice("\(count) queries kept the trail's log from being emptied and were interrupted")
            }
        }
        let bytes = self.gauge.pages * Self.pageBytes
        if bytes > self.share, !self.isOverShare.exchange(true, ordering: .relaxed) {
            self.logger.error(
                "a reader keeps the trail's log from being emptied; it has \(bytes) bytes, more than its share of \(self.share): end the reader"
            )
        }
        return false
    }

    private func didBeginAnew() {
        self.blockedSince = nil
        if self.isOverShare.exchange(false, ordering: .relaxed) { self.logger.notice("the trail's log was emptied") }
    }

    /// What became of an attempt to move the log.
    private enum Outcome {
        /// All of it is in the database, and nobody was in the way.
        case done
        /// Somebody else moves it, or the database is locked.
        case notTried
        /// All of it is in the database, and somebody writes, or reads the end of it.
        case heldByWriter
        /// Somebody reads what a part of it would overwrite.
        case heldByReader
    }

    @discardableResult
    private func checkpoint(_ mode: String) -> Outcome {
        let row = StorePhase.during(.checkpoint) {
            try? self.queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = \(Self.readerWait)")
                defer { try? database.execute(sql: "PRAGMA busy_timeout = \(self.lockPatience)") }
                return try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(\(mode))")
            }
        }
        guard let row else { return .notTried }
        if let length = row.integer(1), let moved = row.integer(2), row.integer(0) != 0 {
            return moved < length ? .heldByReader : .heldByWriter
        }
        if mode == "TRUNCATE" { self.gauge.reset() }
        return .done
    }
}
