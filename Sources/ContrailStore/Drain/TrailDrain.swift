// The one background thread that moves events from the recorder into the database.

internal import ContrailRecorder
private import Dispatch
private import Foundation
private import Logging
private import Synchronization

/// Drains one recorder into one trail, a batch a transaction, until it is stopped.
///
/// A failing commit is tried again with the same batch for as long as the drain lives; meanwhile the recorder's ring
/// fills and then drops, with a count and a cause. Nobody who records ever waits for this thread, unless the recorder's overflow
/// policy says so.
final class TrailDrain: Sendable {
    /// How long a stopping drain keeps trying to commit. With what servers take before it, a service ends within 5 s.
    private static let stopPatience: Duration = .seconds(1)
    /// How long the drain sleeps while it waits for a record that is being written, or for the end, in nanoseconds.
    private static let briefPause = 5_000_000
    /// How often the drain looks how full the ring is, in nanoseconds.
    private static let longestPause = 25_000_000

    private struct State {
        var isStopping = false
        var isDone = false
        var lastCommit: Int64?
        var degradation: TrailStore.Degradation?
        /// Since when it is degraded, in UTC microseconds.
        var degradedSince: Int64?
        /// The monotonic time of the first event that is taken and not committed; nil when none is.
        var oldestTaken: UInt64?
        /// What waits and is not taken is younger than this.
        var emptyAt = MonotonicClock.nanoseconds
        /// How often the drain has looked for events.
        var pass = 0
        var flushes: [(target: UInt64, pass: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var pins: [(change: PinChange, continuation: CheckedContinuation<Result<Void, StoreError>, Never>)] = []
    }

    /// What only the thread has.
    private struct Hand {
        var target: TrailTarget
        var watch: WallClockWatch
        var log: DegradationLog
        var drops = DropReports()
    }

    private let path: String
    private let recorder: FlightRecorder
    private let payloads: PayloadResolver
    private let run: TrailRun
    private let configuration: TrailStore.Configuration
    private let target: TrailTarget.Shared

    private let state = Mutex(State())
    private let wake = DispatchSemaphore(value: 0)
    private let finished = DispatchGroup()

    /// - Parameter start: What opening the trail came to. When it is not open yet, the drain opens it.
    init(
        path: String,
        start: TrailStart,
        run: TrailRun,
        recorder: FlightRecorder,
        configuration: TrailStore.Configuration
    ) {
        self.path = path
        self.recorder = recorder
        self.payloads = PayloadResolver(recorder)
        self.run = run
        self.configuration = configuration
        self.target = TrailTarget.Shared(start)
        guard let failure = start.failure else { return }
        let since = run.clock.startMicroseconds
        self.state.withLock { state in
            state.degradation = TrailStore.Degradation(failure)
            state.degradedSince = since
        }
    }

    /// Begins to drain. The thread keeps the drain alive until ``stop()``.
    func start() {
        self.finished.enter()
        let thread = Thread { [self] in
            FileSizeSignal.block()
            self.recorder.drainBegins()
            self.drainUntilStopped()
            self.recorder.drainEnds()
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
            "the trail \(self.path) was closed: use contrail retention pin, or open it again"
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

    // MARK: - What others ask

    /// The database that is written at the moment; nil when it could not be opened.
    var trail: OpenTrail? { self.target.state.withLock { $0.trail } }

    /// Runs that were found dead, now or when a file was opened anew.
    var recovered: [RecoveredRun] { self.target.state.withLock { $0.recovered } }

    /// How the writing stands.
    var status: TrailStore.Status {
        let accounting = self.recorder.accounting
        let (trail, log, room, setAside) = self.target.state.withLock { ($0.trail, $0.log, $0.room, $0.setAside) }
        let now = MonotonicClock.nanoseconds
        return self.state.withLock { state in
            let oldest = state.oldestTaken ?? state.emptyAt
            return TrailStore.Status(
                durability: self.configuration.durability,
                accounting: accounting,
                lag: accounting.buffered == 0 || oldest > now ? .zero : .nanoseconds(Int64(now - oldest)),
                lastCommit: state.lastCommit,
                logBytes: trail == nil ? 0 : self.target.gauge.bytes,
                degradation: state.degradation,
                degradedSince: state.degradedSince,
                setAside: setAside,
                isLogTooLong: log?.isTooLong ?? false,
                longestRetentionPause: room?.longestPause ?? .zero,
                ring: TrailStore.Status.Ring(self.recorder, path: self.run.ring.path)
            )
        }
    }

    // MARK: - The thread

    private func drainUntilStopped() {
        var hand = Hand(
            target: TrailTarget(
                path: self.path,
                shared: self.target,
                run: self.run,
                recorder: self.recorder,
                configuration: self.configuration
            ),
            watch: WallClockWatch(self.run.clock, wall: self.configuration.wallClock),
            log: DegradationLog(self.configuration.logger, quiet: self.configuration.patience.quiet)
        )
        if let degradation = self.state.withLock({ $0.degradation }) {
            hand.log.note(degradation, "the trail could not be opened, the ring holds what is recorded")
        }
        var deadline: ContinuousClock.Instant?
        var due = ContinuousClock.now
        while true {
            let (isStopping, isAsked, pass) = self.state.withLock { state in
                state.pass += 1
                return (state.isStopping, !state.flushes.isEmpty, state.pass)
            }
            if isStopping, deadline == nil {
                // Those who record on and on must not keep the drain from ending.
                self.recorder.level = .off
                deadline = ContinuousClock.now + Self.stopPatience
            }
            self.changePins(&hand)
            let isLate = deadline.map { ContinuousClock.now > $0 } ?? false
            if isStopping || isAsked || self.isFull || ContinuousClock.now >= due {
                if !isLate, let batch = self.nextBatch(&hand) {
                    guard self.commit(batch, &hand, until: deadline) else { return self.giveUp(batch.events.count) }
                    due = ContinuousClock.now + self.configuration.durability.interval
                    self.resumeFlushes(begunBefore: pass)
                    continue
                }
                due = ContinuousClock.now + self.configuration.durability.interval
            }
            self.resumeFlushes(begunBefore: pass)
            hand.target.expire()
            if isStopping {
                if self.recorder.slotsInUse == 0, !self.recorder.hasDrops { return self.endRun(&hand) }
                // A record that is not finished is passed when its time is over.
                if isLate { return self.giveUp(0) }
            }
            let isBrief = isStopping || self.recorder.waitsForWriter
            let pause = isBrief ? min(Self.briefPause, self.pause) : self.pause
            _ = self.wake.wait(timeout: .now() + .nanoseconds(pause))
        }
    }

    /// Whether so much waits that it must not wait longer.
    private var isFull: Bool {
        guard !self.configuration.durability.waitsToBeAsked else { return false }
        return self.recorder.slotsInUse * 4 >= self.recorder.capacity
    }

    /// How long the drain sleeps when nothing is due, in nanoseconds.
    private var pause: Int {
        let interval = self.configuration.durability.interval / .nanoseconds(1)
        if self.configuration.durability.waitsToBeAsked { return Int(min(interval, 3.6e12)) }
        return Int(min(max(interval, 1e6), Double(Self.longestPause)))
    }

    /// Everything that waits, up to the limit, in the order of its numbers; nil when nothing does.
    private func nextBatch(_ hand: inout Hand) -> RecordBatch? {
        let now = MonotonicClock.nanoseconds
        let limit = hand.target.commitLimit
        var batch = self.recorder.take(atMost: limit.events, slots: limit.slots)
        // What is left in the ring is younger than this.
        let emptyAt = batch.events.last?.monotonicNanoseconds ?? now
        hand.drops.note(self.recorder.takeDrops())
        var own = hand.drops.takeAll().map(TrailEvent.Body.drop) + hand.target.takeNotes()
        if let step = hand.watch.look() { own.append(.clockStep(step)) }
        batch.events += own.map { self.recorder.makeDrainEvent($0) }
        let first = batch.events.first?.monotonicNanoseconds
        self.state.withLock { state in
            state.oldestTaken = first
            state.emptyAt = emptyAt
        }
        hand.log.note(namesFill: self.recorder.namesFill)
        if first == nil { return nil }
        batch.events = self.payloads.resolve(batch.events)
        // What the drain says itself has taken its number later than what follows it.
        batch.events.sort { $0.seq < $1.seq }
        return batch
    }

    /// Commits a batch. Tries until it works; returns false only when the drain has to stop and the deadline passed.
    private func commit(_ batch: RecordBatch, _ hand: inout Hand, until deadline: ContinuousClock.Instant?) -> Bool {
        var failures = 0
        var deadline = deadline
        while true {
            do {
                try hand.target.write(batch.events)
                self.succeeded(with: batch, &hand)
                return true
            } catch {
                failures += 1
                self.failed(error, &hand)
                if deadline == nil, self.state.withLock({ $0.isStopping }) {
                    deadline = ContinuousClock.now + Self.stopPatience
                }
                if let deadline, ContinuousClock.now > deadline { return false }
                let most = self.configuration.patience.retry.milliseconds
                let pause = deadline == nil ? min(most, 20 << min(failures, 6)) : 20
                _ = self.wake.wait(timeout: .now() + .milliseconds(pause))
            }
        }
    }

    private func succeeded(with batch: RecordBatch, _ hand: inout Hand) {
        self.recorder.free(batch)
        let now = MonotonicClock.nanoseconds
        let before = self.state.withLock { state in
            let before = state.degradation
            state.lastCommit = self.run.clock.microseconds(at: now)
            state.degradation = nil
            state.degradedSince = nil
            state.oldestTaken = nil
            return before
        }
        // Whatever was refused until now, was refused for what is over now.
        if let before { hand.drops.note(self.recorder.takeDrops(cause: before.cause)) }
        self.recorder.isDrainFailing = false
        hand.log.noteSuccess()
        hand.target.didCommit()
    }

    private func failed(_ error: any Error, _ hand: inout Hand) {
        let degradation = TrailStore.Degradation(error)
        self.recorder.isDrainFailing = true
        hand.drops.note(self.recorder.takeDrops(cause: degradation.cause))
        let now = self.run.clock.microseconds(at: MonotonicClock.nanoseconds)
        self.state.withLock { state in
            state.degradation = degradation
            if state.degradedSince == nil { state.degradedSince = now }
        }
        hand.log.note(degradation, StoreError(error, path: self.path).message)
        hand.target.settle(degradation)
    }

    private func changePins(_ hand: inout Hand) {
        let pins = self.state.withLock { state in
            defer { state.pins = [] }
            return state.pins
        }
        for (change, continuation) in pins {
            var count: UInt64 = 0
            let at = self.run.clock.microseconds(at: MonotonicClock.nanoseconds)
            do {
                try hand.target.transact { database, writer in
                    try change.apply(database, &writer, at: at) {
                        count += 1
                        return self.recorder.claimNumber()
                    }
                }
                self.recorder.countStored(count)
                continuation.resume(returning: .success(()))
            } catch {
                continuation.resume(returning: .failure(StoreError(error, path: self.path)))
            }
        }
    }

    private func endRun(_ hand: inout Hand) {
        var rest = self.recorder.take(atMost: 0)
        let last = self.recorder.makeDrainEvent(.runEnd)
        rest.events = [last]
        guard self.commit(rest, &hand, until: ContinuousClock.now + Self.stopPatience) else {
            return self.giveUp(1)
        }
        do {
            try hand.target.markClean(at: self.run.clock.microseconds(at: last.monotonicNanoseconds))
            if let head = hand.target.head {
                self.configuration.logger.info(
                    "the trail ends with batch \(head.batch), event \(head.lastID), root \(head.root.text)"
                )
            }
        } catch {
            self.configuration.logger.error(
                "cannot mark the run as clean: \(StoreError(error, path: self.path).message)"
            )
        }
        self.finish()
    }

    private func giveUp(_ count: Int) {
        let lost = max(self.recorder.accounting.buffered, UInt64(count))
        let isKept = self.run.isKnown && self.run.ring.path != nil
        let fate = isKept ? "stay in the ring \(self.run.ring.path ?? "") for the next start" : "are lost"
        self.configuration.logger.error(
            "gave up writing the trail: \(lost) events \(fate), the run will count as crashed"
        )
        // Nothing would lead anybody to it.
        if !self.run.isKnown { self.run.abandon() }
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
