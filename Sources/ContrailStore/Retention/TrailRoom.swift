// Sees to it that what a drain is about to write has room below the trail's cap.

internal import ContrailRecorder
private import Foundation
internal import GRDB
internal import Logging
private import Synchronization

/// Measures a trail and drops what is oldest until the next batch fits, and what is too old.
///
/// Freed pages are used again, so a file at its cap neither grows nor shrinks. Sizes are looked at again when so many pages were
/// written that they could have passed a limit: a batch before that costs one comparison.
///
/// Unchecked: what is not behind the atomic is touched by the drain's thread alone.
final class TrailRoom: @unchecked Sendable {
    /// Runs the closure in a transaction that takes the write lock at once, with the run's writer.
    typealias Transact = ((Database, inout BatchWriter) throws -> Void) throws -> Void

    /// Room below which no trail can work, besides its rings, in bytes.
    static let least = 2 << 20
    /// About how many events a slice drops.
    private static let sliceSize = 2048
    /// How many pages one step gives back to the file system.
    private static let vacuumStep = 256
    /// Somebody else may have written since sizes were looked at.
    private static let lookPause: Duration = .seconds(1)
    private static let pageBytes = 4096

    private let retention: TrailStore.Retention
    private let queue: DatabaseQueue
    private let run: TrailRun
    private let recorder: FlightRecorder
    private let gauge: LogGauge
    private let log: LogKeeper
    private let logger: Logger

    /// How many pages may be written before sizes are looked at again.
    private var spare = 0
    private var pagesSeen = 0
    /// SQLite's number for what others have written, when sizes were looked at.
    private var othersSeen = 0
    /// How many pages may be in use after the batch, as room was made for it: more than there should be when nothing could be dropped.
    private var grantedPages = 0
    /// What the commit of a batch writes at the most, in pages, of late.
    private var commitPages = 64
    private var nextLook = ContinuousClock.now
    private var nextAgeLook = ContinuousClock.now
    private var ringBytes = 0
    private var sweep: NameSweep?
    /// A number that a slice had claimed when its transaction failed. Whoever makes room in another file goes on with it.
    var claimedSeq: UInt64?
    /// The longest that a slice has kept the drain from writing, in nanoseconds.
    private let longest = Atomic<UInt64>(0)

    init(
        _ retention: TrailStore.Retention,
        queue: DatabaseQueue,
        run: TrailRun,
        recorder: FlightRecorder,
        gauge: LogGauge,
        log: LogKeeper,
        logger: Logger
    ) {
        self.retention = retention
        self.queue = queue
        self.run = run
        self.recorder = recorder
        self.gauge = gauge
        self.log = log
        self.logger = logger
    }

    /// How many events, and how many slots of the ring, a commit may have so that it is small against the cap and against the ring.
    ///
    /// A large one is cheaper by the event, for a page that many of its rows go to is written once. Beyond 8,192 it has an eighth of
    /// the ring at the most, so that room comes back while the next one is written; and no more than other writers wait for.
    ///
    /// - Parameter capacity: The ring's, in slots.
    static func commitLimit(_ retention: TrailStore.Retention, capacity: Int) -> (events: Int, slots: Int) {
        let (events, slots) = (min(32_768, max(8192, capacity / 8)), max(32_768, capacity / 8))
        guard let cap = retention.cap else { return (events, slots) }
        let most = min(events, max(128, min(8192, cap / 16_384), cap / 65_536))
        return (most, min(most * 4, slots))
    }

    /// The longest that retention has kept the drain from writing. Any thread.
    var longestPause: Duration { .nanoseconds(Int64(clamping: self.longest.load(ordering: .relaxed))) }

    /// Tells the trail what its writer keeps, for those who look at the file alone.
    func begin() {
        try? self.queue.write { database in
            let age = self.retention.age.map { Int64(clamping: Int($0 / .microseconds(1))) }
            try database.execute(
                sql: "UPDATE retention SET cap = ?, age_us = ?",
                arguments: [self.retention.cap, age]
            )
        }
        if let cap = self.retention.cap {
            try? self.queue.writeWithoutTransaction {
                let limit = min(TrailDatabase.cacheBytes(cap: cap) * 2, self.log.share / 2)
                try $0.execute(sql: "PRAGMA journal_size_limit = \(limit)")
            }
            self.lookAtRings()
            if cap < self.ringBytes + Self.least {
                let least = self.ringBytes + Self.least
                self.logger.warning("the trail's cap of \(cap) bytes is too small for its rings: \(least) count")
            }
        }
    }

    /// Makes room for the next batch. Throws ``OverCap`` when there is none.
    func prepare(_ transact: Transact) throws {
        guard self.retention.cap != nil else { return }
        self.countPages()
        if self.spare > 0, ContinuousClock.now < self.nextLook { return }
        self.nextLook = ContinuousClock.now + Self.lookPause
        try self.makeRoom(transact)
    }

    /// Sees to it that the room is still there: others may have written since it was made. Called in the transaction of the batch, in
    /// which nobody else can. Throws ``OverCap`` when room has to be made once more.
    func confirm(_ database: Database) throws {
        guard self.retention.cap != nil, try self.othersHaveWritten(database) else { return }
        let sizes = try self.measure(database)
        let (cap, most) = self.limits
        guard self.fits(sizes, below: cap), sizes.usedPages + self.reserve <= max(most, self.grantedPages) else {
            self.spare = 0
            throw OverCap(cap: cap, isLogHeld: sizes.logBytes > 0)
        }
        self.note(sizes)
    }

    /// Drops what is too old, when it is time to look.
    func expire(_ transact: Transact) {
        guard let age = self.retention.age, ContinuousClock.now >= self.nextAgeLook else { return }
        self.nextAgeLook = ContinuousClock.now + min(Self.lookPause, age / 4)
        let now = self.run.clock.microseconds(at: MonotonicClock.nanoseconds)
        let cutoff = now - Int64(clamping: Int(min(age / .microseconds(1), 9e18)))
        do {
            while try self.slice(.age, olderThan: cutoff, transact) { self.log.didCommit() }
        } catch {
            // The drain's own commits meet the same, and say so.
            return
        }
    }

    // MARK: - Sizes

    private struct Sizes {
        let pages: Int
        let freePages: Int
        let logBytes: Int
        let ringBytes: Int

        var usedPages: Int { self.pages - self.freePages }
        var total: Int { self.pages * TrailRoom.pageBytes + self.logBytes + self.ringBytes }
    }

    private func measure() throws -> Sizes { try self.queue.read { try self.measure($0) } }

    private func measure(_ database: Database) throws -> Sizes {
        _ = try self.othersHaveWritten(database)
        return Sizes(
            pages: try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0,
            freePages: try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0,
            logBytes: self.log.bytes,
            ringBytes: self.ringBytes
        )
    }

    /// Whether other connections have committed since this was asked before.
    private func othersHaveWritten(_ database: Database) throws -> Bool {
        let version = try Int.fetchOne(database.cachedStatement(sql: "PRAGMA data_version")) ?? 0
        defer { self.othersSeen = version }
        return version != self.othersSeen
    }

    private func lookAtRings() {
        self.ringBytes = RunLiveness.ringPaths(database: self.queue.path).reduce(0) { sum, path in
            sum + ((try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0)
        }
    }

    /// Counts what batches have written since room was made.
    private func countPages() {
        let written = self.gauge.written
        self.spare -= written - self.pagesSeen
        self.pagesSeen = written
        self.commitPages = max(32, self.gauge.takeLargest(), self.commitPages - self.commitPages / 64)
    }

    /// What the next commit may write, in pages.
    private var reserve: Int { self.commitPages + self.commitPages / 2 }

    /// How many bytes all files may have, and how many pages the database.
    private var limits: (cap: Int, most: Int) {
        let cap = max(self.retention.cap ?? .max, self.ringBytes + Self.least)
        return (cap, (cap - self.ringBytes - min(self.log.share, cap / 4)) / Self.pageBytes)
    }

    /// Whether what the next commit writes is still below the cap.
    private func fits(_ sizes: Sizes, below cap: Int) -> Bool {
        let next = self.reserve * LogKeeper.pageBytes
        // A file that was larger than the cap before there was one shrinks while it is written.
        let stays = sizes.freePages >= self.reserve && sizes.logBytes + next <= self.log.share
        return stays || sizes.total + next <= cap
    }

    /// Whether a slice may be dropped now: it frees pages and needs none, but is written into the log.
    private func fitsSlice(_ sizes: Sizes, below cap: Int) -> Bool {
        sizes.logBytes <= self.log.share / 2 || self.fits(sizes, below: cap)
    }

    /// Takes note of how much may be written before sizes are looked at again.
    private func note(_ sizes: Sizes) {
        let (cap, most) = self.limits
        // What making room has written itself is in the sizes, and says nothing of batches.
        self.pagesSeen = self.gauge.written
        _ = self.gauge.takeLargest()
        self.spare = min(most - sizes.usedPages, (cap - sizes.total) / LogKeeper.pageBytes) - self.reserve
    }

    private func makeRoom(_ transact: Transact) throws {
        self.lookAtRings()
        let (cap, most) = self.limits
        var sizes = try self.measure()
        while sizes.usedPages + self.reserve > most {
            if !self.fitsSlice(sizes, below: cap) { self.log.empty() }
            guard try self.slice(.cap, transact) else { break }
            self.log.didCommit()
            sizes = try self.measure()
        }
        if sizes.pages > most, sizes.freePages > self.reserve {
            try self.vacuum(min(Self.vacuumStep, sizes.freePages - self.reserve, sizes.pages - most))
            self.log.didCommit()
            sizes = try self.measure()
        }
        if sizes.total + self.reserve * LogKeeper.pageBytes > cap {
            self.log.empty()
            sizes = try self.measure()
        }
        self.grantedPages = sizes.usedPages + self.reserve
        guard self.fits(sizes, below: cap) else { throw OverCap(cap: cap, isLogHeld: sizes.logBytes > 0) }
        self.note(sizes)
    }

    // MARK: - Dropping

    /// Drops one slice. Returns false when there is none.
    private func slice(
        _ cause: RetentionSlice.Cause,
        olderThan cutoff: Int64? = nil,
        _ transact: Transact
    ) throws -> Bool {
        let begin = ContinuousClock.now
        let size = min(Self.sliceSize, Self.commitLimit(self.retention, capacity: self.recorder.capacity).events)
        let isSwept = try self.advanceSweep()
        var didDrop = false
        var seq: UInt64?
        try StorePhase.during(.retention) {
            try transact { database, writer in
                // Another run may have made room, or used it, since sizes were looked at.
                if cause == .cap {
                    let sizes = try self.measure(database)
                    let (cap, most) = self.limits
                    guard sizes.usedPages + self.reserve > most else {
                        didDrop = true
                        return
                    }
                    guard self.fitsSlice(sizes, below: cap) else { throw OverCap(cap: cap, isLogHeld: true) }
                }
                guard let slice = try RetentionSlice(database, size: size, olderThan: cutoff) else { return }
                let number = self.claimedSeq ?? self.recorder.claimNumber()
                self.claimedSeq = number
                let word = try slice.drop(database, cause: cause, sweep: isSwept ? self.sweep : nil)
                try database.execute(
                    sql: "UPDATE retention SET longest_ns = max(longest_ns, ?)",
                    arguments: [Int64(clamping: self.longest.load(ordering: .relaxed))]
                )
                let at = self.run.clock.microseconds(at: MonotonicClock.nanoseconds)
                try writer.write(RetentionSlice.kind, seq: Int64(number), at: at, name: nil, json: word, database)
                seq = number
                didDrop = true
            }
        }
        if seq != nil {
            self.claimedSeq = nil
            self.recorder.countStored(1)
            if isSwept { self.sweep = nil }
        }
        let pause = (ContinuousClock.now - begin) / .nanoseconds(1)
        self.longest.max(UInt64(max(0, pause)), ordering: .relaxed)
        return didDrop
    }

    /// Reads a portion for the sweep of names, if one is due. Returns whether it has read all.
    private func advanceSweep() throws -> Bool {
        try self.queue.read { database in
            if self.sweep == nil, try NameSweep.isDue(database) { self.sweep = NameSweep() }
            guard let sweep = self.sweep else { return false }
            return try !sweep.advance(database)
        }
    }

    private func vacuum(_ pages: Int) throws {
        let begin = ContinuousClock.now
        try self.queue.inTransaction(.immediate) { database in
            try database.execute(sql: "PRAGMA incremental_vacuum(\(pages))")
            return .commit
        }
        self.longest.max(UInt64(max(0, (ContinuousClock.now - begin) / .nanoseconds(1))), ordering: .relaxed)
    }
}

/// Nothing more fits below the trail's cap, and nothing more can be dropped.
struct OverCap: Error, CustomStringConvertible {
    let cap: Int
    let isLogHeld: Bool

    var description: String {
        let remedy =
            self.isLogHeld
            ? "a reader keeps its log from being emptied: end the reader"
            : "what is pinned, or not over yet, fills it: unpin, or raise the cap"
        return "the trail has reached its cap of \(self.cap) bytes, and \(remedy)"
    }
}
