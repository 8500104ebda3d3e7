// The database that the drain writes: opened when there is none, opened anew when the path names another file, set aside when it
// is damaged.

internal import ContrailRecorder
private import Foundation
internal import GRDB
internal import Logging
internal import Synchronization

/// What a drain commits into. Confined to the drain's thread, but for ``shared``.
struct TrailTarget {
    /// What others ask for.
    final class Shared: Sendable {
        struct State {
            var trail: OpenTrail?
            var log: LogKeeper?
            var room: TrailRoom?
            var recovered: [RecoveredRun] = []
            /// Files that were found damaged, under their new names.
            var setAside: [String] = []
        }

        let state: Mutex<State>
        let gauge = LogGauge()

        init(_ start: TrailStart) {
            self.state = Mutex(
                State(
                    trail: start.trail,
                    recovered: start.trail?.recovered ?? [],
                    setAside: start.setAside.map { [$0] } ?? []
                )
            )
        }
    }

    /// How many times in a row room is made that others take.
    private static let roomAttempts = 8

    let shared: Shared
    private let path: String
    private let run: TrailRun
    private let recorder: FlightRecorder
    private let configuration: TrailStore.Configuration

    private var trail: OpenTrail?
    private var log: LogKeeper?
    private var room: TrailRoom?
    private var writer: BatchWriter?
    /// The file that was open last.
    private var file: FileIdentity?
    /// How many attempts in a row found damage.
    private var damages = 0
    /// How many drops the trail tells of, in whatever database.
    private var reportedDrops: UInt64 = 0
    /// The number of the last event that was committed.
    private var lastSeq: UInt64 = 0
    private var notes: [TrailEvent.Body] = []

    init(
        path: String,
        shared: Shared,
        run: TrailRun,
        recorder: FlightRecorder,
        configuration: TrailStore.Configuration
    ) {
        self.path = path
        self.shared = shared
        self.run = run
        self.recorder = recorder
        self.configuration = configuration
        let (trail, setAside) = shared.state.withLock { ($0.trail, $0.setAside) }
        if let trail { self.use(trail) }
        for name in setAside { self.notes.append(Self.note("a damaged trail was set aside as \(name)")) }
    }

    /// What happened to the database that the trail itself should tell.
    mutating func takeNotes() -> [TrailEvent.Body] {
        defer { self.notes = [] }
        return self.notes
    }

    /// The end of the chain, and the run's row.
    var head: ChainHead? { self.writer?.head }

    // MARK: - Writing

    /// How many events, and how many slots of the ring, a commit may have.
    var commitLimit: (events: Int, slots: Int) {
        TrailRoom.commitLimit(self.configuration.retention, capacity: self.recorder.capacity)
    }

    /// Commits the events, which are in the order of their numbers; all of them or none. Makes room for them first.
    mutating func write(_ events: [TrailEvent]) throws {
        let trail = try self.opened()
        let room = self.room
        for attempt in 1... {
            try trail.queue.reportingNumbers { try room?.prepare { try self.transact(trail, $0) } }
            do {
                try self.transact(trail) { database, writer in
                    try room?.confirm(database)
                    try writer.write(events, database)
                }
                break
            } catch let error as OverCap {
                // Others were faster. A drain that never is waits its while, and tries again.
                guard attempt < Self.roomAttempts else { throw error }
            }
        }
        self.damages = 0
        self.lastSeq = events.last?.seq ?? self.lastSeq
        for case .drop(let drop) in events.lazy.map(\.body) { self.reportedDrops += drop.count }
    }

    /// Runs the closure in a transaction that takes the write lock at once, with the run's writer.
    mutating func transact(_ body: (Database, inout BatchWriter) throws -> Void) throws {
        try self.transact(self.opened(), body)
    }

    private mutating func transact(
        _ trail: OpenTrail,
        _ body: (Database, inout BatchWriter) throws -> Void
    ) throws {
        // Taken out: a second owner of its tables would make each of them a copy.
        var current = self.writer.take()
        defer { self.writer = current }
        do {
            try StorePhase.during(.commit) {
                try trail.queue.reportingNumbers {
                    try trail.queue.inTransaction(.immediate) { database in
                        var taken =
                            try current.take()
                            ?? BatchWriter(
                                database,
                                runID: trail.runID,
                                clock: self.run.clock,
                                integrity: self.configuration.integrity
                            )
                        defer { current = taken }
                        try body(database, &taken)
                        return .commit
                    }
                }
            }
        } catch {
            current?.forget()
            throw error
        }
        current?.didCommit()
        if let head = current?.head { self.keep(head) }
    }

    /// Drops what is too old, when it is time to look.
    mutating func expire() {
        guard let trail, let room else { return }
        room.expire { try self.transact(trail, $0) }
    }

    /// Marks the run as ended in order.
    func markClean(at microseconds: Int64) throws {
        guard let trail else { return }
        try self.run.markClean(trail.queue, id: trail.runID, at: microseconds)
    }

    /// Keeps the head of the chain beside the database. When that fails, verifying finds an older head and is none the worse.
    private func keep(_ head: ChainHead) {
        let descriptor = Foundation.open(ChainHead.path(of: self.path), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Lines have one length but for their numbers, which only grow: a longer one covers a shorter one.
        let line = Array(head.line.utf8)
        _ = line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Sees to the log after a commit.
    func didCommit() { self.log?.didCommit() }

    // MARK: - Opening

    private mutating func opened() throws -> OpenTrail {
        if let trail {
            guard trail.isReplaced else { return trail }
            self.leave()
        }
        let trail = try OpenTrail(path: self.path, run: self.run, lockPatience: self.configuration.patience.lock)
        if trail.isNew, self.lastSeq > 0 {
            // The numbers go on: those before are in the other file.
            self.recorder.noteDropsBefore(self.reportedDrops)
            self.notes.append(
                Self.note("this database begins here: events up to seq \(self.lastSeq) are in another file")
            )
            self.configuration.logger.notice("\(self.path) is a new file: the run goes on in it")
        }
        RecoveredRun.report(trail.recovered, to: self.configuration.logger)
        self.use(trail)
        self.shared.state.withLock { $0.recovered += trail.recovered }
        return trail
    }

    private mutating func use(_ trail: OpenTrail) {
        self.trail = trail
        self.file = trail.file
        // A failure leaves the longer wait that opening the trail had.
        try? trail.queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA busy_timeout = \(self.configuration.patience.lock.milliseconds)")
            try database.execute(sql: "PRAGMA synchronous = \(self.configuration.durability.synchronous)")
            try database.execute(sql: TrailDatabase.cacheSize(cap: self.configuration.retention.cap))
            self.shared.gauge.install(on: database)
        }
        let log = LogKeeper(
            trail.queue,
            gauge: self.shared.gauge,
            retention: self.configuration.retention,
            lockPatience: self.configuration.patience.lock.milliseconds,
            logger: self.configuration.logger
        )
        let room = TrailRoom(
            self.configuration.retention,
            queue: trail.queue,
            run: self.run,
            recorder: self.recorder,
            gauge: self.shared.gauge,
            log: log,
            logger: self.configuration.logger
        )
        room.claimedSeq = self.room?.claimedSeq
        room.begin()
        self.log = log
        self.room = room
        self.shared.state.withLock { state in
            state.trail = trail
            state.log = log
            state.room = room
        }
    }

    private mutating func leave() {
        self.writer = nil
        self.log = nil
        self.shared.state.withLock { state in
            state.trail = nil
            state.log = nil
            state.room = nil
        }
        self.trail?.close()
        self.trail = nil
    }

    // MARK: - Damage

    /// Does about a failed attempt what can be done. Damage that a new connection finds as well is in the file: it is set aside,
    /// and the next attempt begins a new one.
    mutating func settle(_ degradation: TrailStore.Degradation) {
        guard degradation == .corrupt else { return }
        self.damages += 1
        guard self.damages > 1, let damaged = FileIdentity(path: self.path),
            damaged == self.file || DamagedTrail.isLikely(self.path)
        else {
            // What the connection keeps in memory may be all that is wrong.
            if self.damages == 1 { self.leave() }
            return
        }
        do {
            let name = try DamagedTrail.setAside(self.path, damaged, at: RunClock.wallMicroseconds())
            self.damages = 0
            self.leave()
            guard let name else { return }
            self.shared.state.withLock { $0.setAside.append(name) }
            self.notes.append(Self.note("a damaged trail was set aside as \(name)"))
            self.configuration.logger.error(
                "the trail \(self.path) is damaged: it is \(name) now, and a new one is begun"
            )
        } catch {
            if self.damages == 2 {
                self.configuration.logger.error("\(StoreError(error, path: self.path).message)")
            }
        }
    }

    private static func note(_ text: String) -> TrailEvent.Body { .error(step: RecordedText("trail"), error: text) }
}
