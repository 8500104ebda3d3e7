// The one background thread that moves events from the recorder into the database.

internal import ContrailRecorder
private import Dispatch
private import Foundation
internal import GRDB
internal import Logging
private import Synchronization

/// Drains one recorder into one database, a batch a transaction, until it is stopped.
///
/// A failing commit is tried again with the same batch for as long as the drain lives; meanwhile the recorder's ring
/// fills and then drops, with a count. Nobody who records ever waits for this thread.
final class TrailDrain: Sendable {
    /// How long a stopping drain keeps trying to commit. With what servers take before it, a service ends within 5 s.
    private static let stopPatience: Duration = .seconds(1)
    /// How long one attempt waits for another process's lock, in milliseconds: short, for stopping must not wait for it.
    private static let lockPatience = 250

    private struct State {
        var isStopping = false
        var isDone = false
        var lastCommit: (date: Int64, instant: ContinuousClock.Instant)?
        var degradation: TrailStore.Degradation?
        /// How often the drain has looked for events.
        var pass = 0
        var flushes: [(target: UInt64, pass: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var pins: [(change: PinChange, continuation: CheckedContinuation<Result<Void, StoreError>, Never>)] = []
    }

    private let recorder: FlightRecorder
    private let payloads: PayloadResolver
    private let queue: DatabaseQueue
    private let run: TrailRun
    private let interval: Duration
    private let durability: TrailStore.Durability
    private let integrity: TrailStore.Integrity
    private let started = ContinuousClock.now
    private let logger: Logger

    private let state = Mutex(State())
    private let gauge: LogGauge
    let log: LogKeeper
    let room: TrailRoom
    private let wake = DispatchSemaphore(value: 0)
    private let finished = DispatchGroup()

    init(
        recorder: FlightRecorder,
        queue: DatabaseQueue,
        run: TrailRun,
        interval: Duration,
        durability: TrailStore.Durability,
        integrity: TrailStore.Integrity,
        retention: TrailStore.Retention,
        logger: Logger
    ) {
        let gauge = LogGauge()
        self.gauge = gauge
        self.log = LogKeeper(
            queue,
            gauge: gauge,
            retention: retention,
            lockPatience: Self.lockPatience,
            logger: logger
        )
        self.room = TrailRoom(
            retention,
            queue: queue,
            run: run,
            recorder: recorder,
            gauge: gauge,
            log: self.log,
            logger: logger
        )
        self.recorder = recorder
        self.payloads = PayloadResolver(recorder)
        self.queue = queue
        self.run = run
        self.interval = interval
        self.durability = durability
        self.integrity = integrity
        self.logger = logger
    }

    /// Begins to drain. The thread keeps the drain alive until ``stop()``.
    func start() {
        self.finished.enter()
        let thread = Thread { [self] in
            self.drainUntilStopped()
            self.finished.leave()
        }
        thread.name = "contrail-drain"
        thread.start()
    }

    /// Waits until everything that was recorded before the call is committed, or the drain has stopped.
    func flush() async {
        let target = self.recorder.claimedPosition
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if !state.isDone { state.flushes.append((target, state.pass, continuation)) }
                return state.isDone
            }
            if isDone { continuation.resume() } else { self.wake.signal() }
        }
    }

    /// Pins or unpins a context, between two batches.
    func perform(_ change: PinChange) async -> Result<Void, StoreError> {
        await withCheckedContinuation { continuation in
            let isDone = self.state.withLock { state in
                if !state.isDone { state.pins.append((change, continuation)) }
                return state.isDone
            }
            if isDone { continuation.resume(returning: .failure(self.closed)) } else { self.wake.signal() }
        }
    }

    private var closed: StoreError {
        StoreError(
            .inaccessible,
            "the trail \(self.queue.path) was closed: use contrail retention pin, or open it again"
        )
    }

    /// Commits what is left, ends the run and waits for the thread. Blocks for two seconds at the most when the database
    /// refuses; then the rest stays in the ring, or is lost without one, and the run counts as crashed. Calling it again does
    /// nothing.
    func stop() {
        self.state.withLock { $0.isStopping = true }
        self.wake.signal()
        self.finished.wait()
    }

    /// How the writing stands.
    var status: TrailStore.Status {
        let waiting = self.recorder.accounting.buffered
        let (last, degradation) = self.state.withLock { ($0.lastCommit, $0.degradation) }
        return TrailStore.Status(
            durability: self.durability,
            waiting: waiting,
            lag: waiting == 0 ? .zero : ContinuousClock.now - (last?.instant ?? self.started),
            lastCommit: last?.date,
            logBytes: self.gauge.pages * LogKeeper.pageBytes,
            degradation: degradation,
            isLogTooLong: self.log.isTooLong,
            longestRetentionPause: self.room.longestPause
        )
    }

    // MARK: - The thread

    private func drainUntilStopped() {
        // A failure leaves the longer wait that opening the trail had.
        try? self.queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA busy_timeout = \(Self.lockPatience)")
            try database.execute(sql: "PRAGMA synchronous = \(self.durability.synchronous)")
            self.gauge.install(on: database)
        }
        self.room.begin()
        var writer: BatchWriter?
        var deadline: ContinuousClock.Instant?
        while true {
            let (isStopping, pass) = self.state.withLock { state in
                state.pass += 1
                return (state.isStopping, state.pass)
            }
            if isStopping, deadline == nil {
                // Those who record on and on must not keep the drain from ending.
                self.recorder.level = .off
                deadline = ContinuousClock.now + Self.stopPatience
            }
            self.changePins(&writer)
            let isLate = deadline.map { ContinuousClock.now > $0 } ?? false
            if !isLate, let batch = self.nextBatch() {
                guard self.commit(batch, &writer, until: deadline) else { return self.giveUp(batch.events.count) }
                self.resumeFlushes(begunBefore: pass)
                continue
            }
            self.resumeFlushes(begunBefore: pass)
            self.room.expire { try self.transact(&writer, $0) }
            if isStopping {
                if self.recorder.slotsInUse == 0 { return self.endRun(&writer) }
                // A record that is not finished is passed when its time is over.
                if isLate { return self.giveUp(0) }
            }
            let isBrief = isStopping || self.recorder.waitsForWriter
            let pause = isBrief ? min(Self.briefPause, self.pause) : self.pause
            _ = self.wake.wait(timeout: .now() + .nanoseconds(pause))
        }
    }

    /// How long the drain sleeps while it waits for a record that is being written, or for the end, in nanoseconds.
    private static let briefPause = 5_000_000

    /// How long the drain sleeps when nothing waits, in nanoseconds: from a millisecond to an hour.
    private var pause: Int { Int(min(max(self.interval / .nanoseconds(1), 1e6), 3.6e12)) }

    /// Everything that waits, up to the limit, in the order of its numbers; nil when nothing does.
    private func nextBatch() -> RecordBatch? {
        let limit = self.room.batchLimit
        var batch = self.recorder.take(atMost: limit.events, slots: limit.slots)
        if let drop = self.recorder.takeDrops() { batch.events.append(self.recorder.makeDrainEvent(.drop(drop))) }
        if batch.events.isEmpty { return nil }
        batch.events = self.payloads.resolve(batch.events)
        // What the drain says itself has taken its number later than what follows it.
        batch.events.sort { $0.seq < $1.seq }
        return batch
    }

    /// Commits a batch. Tries until it works; returns false only when the drain has to stop and the deadline passed.
    private func commit(
        _ batch: RecordBatch,
        _ writer: inout BatchWriter?,
        until deadline: ContinuousClock.Instant?
    ) -> Bool {
        var failures = 0
        var deadline = deadline
        while true {
            do {
                try self.room.prepare { try self.transact(&writer, $0) }
                try self.transact(&writer) { try $1.write(batch.events, $0) }
                self.recorder.free(batch)
                let now = (self.run.clock.microseconds(at: MonotonicClock.nanoseconds), ContinuousClock.now)
                self.state.withLock { state in
                    state.lastCommit = now
                    state.degradation = nil
                }
                self.log.didCommit()
                if failures > 0 { self.logger.notice("the trail is being written again") }
                return true
            } catch {
                failures += 1
                self.state.withLock { $0.degradation = TrailStore.Degradation(error) }
                if failures == 1 {
                    self.logger.error(
                        "cannot write the trail, trying again: \(StoreError(error, path: self.queue.path).message)"
                    )
                }
                if deadline == nil, self.state.withLock({ $0.isStopping }) {
                    deadline = ContinuousClock.now + Self.stopPatience
                }
                if let deadline, ContinuousClock.now > deadline { return false }
                let pause = deadline == nil ? min(1000, 20 << min(failures, 6)) : 20
                _ = self.wake.wait(timeout: .now() + .milliseconds(pause))
            }
        }
    }

    /// Runs the closure in a transaction that takes the write lock at once, with the run's writer.
    private func transact(
        _ writer: inout BatchWriter?,
        _ body: (Database, inout BatchWriter) throws -> Void
    ) throws {
        // Taken out: a second owner of its tables would make each of them a copy.
        var current = writer.take()
        defer { writer = current }
        do {
            try StorePhase.during(.commit) {
                try self.queue.inTransaction(.immediate) { database in
                    var taken =
                        try current.take()
                        ?? BatchWriter(
                            database,
                            runID: self.run.id,
                            clock: self.run.clock,
                            integrity: self.integrity
                        )
                    defer { current = taken }
                    try body(database, &taken)
                    return .commit
                }
            }
        } catch {
            current?.forget()
            throw error
        }
        current?.didCommit()
        if let head = current?.head { self.keep(head) }
    }

    /// Keeps the head of the chain beside the database. When that fails, verifying finds an older head and is none the worse.
    private func keep(_ head: ChainHead) {
        let descriptor = open(ChainHead.path(of: self.queue.path), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // Lines have one length but for their numbers, which only grow: a longer one covers a shorter one.
        let line = Array(head.line.utf8)
        _ = line.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    private func changePins(_ writer: inout BatchWriter?) {
        let pins = self.state.withLock { state in
            defer { state.pins = [] }
            return state.pins
        }
        for (change, continuation) in pins {
            var count: UInt64 = 0
            let at = self.run.clock.microseconds(at: MonotonicClock.nanoseconds)
            do {
                try self.transact(&writer) { database, writer in
                    try change.apply(database, &writer, at: at) {
                        count += 1
                        return self.recorder.claimNumber()
                    }
                }
                self.recorder.countStored(count)
                continuation.resume(returning: .success(()))
            } catch {
                continuation.resume(returning: .failure(StoreError(error, path: self.queue.path)))
            }
        }
    }

    private func endRun(_ writer: inout BatchWriter?) {
        var rest = self.recorder.take(atMost: 0)
        let last = self.recorder.makeDrainEvent(.runEnd)
        rest.events = [last]
        guard self.commit(rest, &writer, until: ContinuousClock.now + Self.stopPatience) else {
            return self.giveUp(1)
        }
        do {
            try self.run.markClean(self.queue, at: self.run.clock.microseconds(at: last.monotonicNanoseconds))
            if let head = writer?.head {
                self.logger.info(
                    "the trail ends with batch \(head.batch), event \(head.lastID), root \(head.root.text)"
                )
            }
        } catch {
            self.logger.error("cannot mark the run as clean: \(StoreError(error, path: self.queue.path).message)")
        }
        self.finish()
    }

    private func giveUp(_ count: Int) {
        let lost = max(self.recorder.accounting.buffered, UInt64(count))
        let fate = self.run.ring.path.map { "stay in the ring \($0) for the next start" } ?? "are lost"
        self.logger.error("gave up writing the trail: \(lost) events \(fate), the run will count as crashed")
        self.finish()
    }

    private func finish() {
        let (flushes, pins) = self.state.withLock { state in
            state.isDone = true
            defer { (state.flushes, state.pins) = ([], []) }
            return (state.flushes, state.pins)
        }
        for flush in flushes { flush.continuation.resume() }
        for pin in pins { pin.continuation.resume(returning: .failure(self.closed)) }
    }

    /// Resumes those who wait for what is committed now. Drops that were counted before they asked are reported in a pass that
    /// began after.
    private func resumeFlushes(begunBefore pass: Int) {
        let freed = self.recorder.freedPosition
        let ready = self.state.withLock { state in
            let ready = state.flushes.filter { $0.target <= freed && $0.pass < pass }
            state.flushes.removeAll { $0.target <= freed && $0.pass < pass }
            return ready
        }
        for flush in ready { flush.continuation.resume() }
    }
}

extension TrailStore.Degradation {
    /// What a failed commit amounts to.
    init(_ error: any Error) {
        if error is OverCap {
            self = .overCap
            return
        }
        guard let error = error as? DatabaseError else {
            self = .failing
            return
        }
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .diskFull
            case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN: .readOnly
            case .SQLITE_BUSY, .SQLITE_LOCKED: .locked
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt
            default: .failing
            }
    }
}
