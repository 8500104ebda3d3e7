// Writes a batch of events and what follows from them, in one transaction.

internal import ContrailRecorder
internal import GRDB

/// The drain's statements. Confined to the drain's writes.
struct BatchWriter {
    private let runID: Int64
    private let clock: RunClock
    private var strings: StringTable

    private let insertEvent: BulkStatement
    private let insertContext: BulkStatement
    private let endContext: BulkStatement
    private let insertRecycle: BulkStatement
    private let insertProblem: BulkStatement
    private let insertSnapshot: BulkStatement

    /// The latest time that was written. A thread may read the clock after another one that took a later number.
    private var latest: Int64 = 0

    /// Lifetimes that began in this batch.
    private var begun: [Int64: ContextRow] = [:]

    init(_ database: Database, runID: Int64, clock: RunClock) throws {
        self.runID = runID
        self.clock = clock
        self.strings = try StringTable(database)
        self.insertEvent = try BulkStatement(
            database,
            """
            INSERT INTO event (run_id, seq, at, kind, context_id, other_id, worker, worker_number, thread, epoch, name, site,
                duration_ns, outcome, detail)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        self.insertContext = try BulkStatement(
            database,
            """
            INSERT OR IGNORE INTO context (context_id, run_id, kind, origin, app, parent_id, worker, worker_number, epoch, pushed_at,
                popped_at, duration_ns, outcome, error, push_site, pop_site, method, path, endpoint, request_id, trace_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        self.endContext = try BulkStatement(
            database,
            """
            UPDATE context SET popped_at = ?2, duration_ns = ?3, outcome = ?4, error = ?5, pop_site = ?6
            WHERE context_id = ?1
            """
        )
        self.insertRecycle = try BulkStatement(
            database,
            """
            INSERT INTO recycle (id, run_id, seq, at, worker, worker_number, epoch_before, epoch_after, variables_dropped)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        self.insertProblem = try BulkStatement(
            database,
            """
            INSERT INTO problem (id, run_id, seq, at, kind, context_id, other_context_id, worker, worker_number, signature,
                message, site, owner_site, age_ns, reader_thread)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        self.insertSnapshot = try BulkStatement(
            database,
            "INSERT INTO g_snapshot (id, g_json, truncated) VALUES (?, ?, ?)"
        )
    }

    /// Writes the events. The caller owns the transaction, and calls ``forget()`` when it was rolled back.
    mutating func write(_ events: [TrailEvent]) throws {
        for event in events { try self.write(event) }
        // In order of their ids, which is where the table grows.
        for row in self.begun.values.sorted(by: { $0.id < $1.id }) { try self.write(row) }
        self.begun.removeAll(keepingCapacity: true)
    }

    /// Forgets what a rolled-back transaction had established.
    mutating func forget() {
        self.begun.removeAll(keepingCapacity: true)
        self.strings.forget()
    }

    private mutating func write(_ event: TrailEvent) throws {
        let at = max(self.latest, self.clock.microseconds(at: event.monotonicNanoseconds))
        self.latest = at
        let stored = StoredEvent(event.body)
        let statement = self.insertEvent
        statement.bind(self.runID, at: 1)
        statement.bind(Int64(event.seq), at: 2)
        statement.bind(at, at: 3)
        statement.bind(Int64(event.kind.code), at: 4)
        statement.bind(self.id(of: event.context), at: 5)
        statement.bind(self.id(of: stored.other), at: 6)
        statement.bind(try self.strings.id(ofKindOf: event.worker), at: 7)
        statement.bind(event.worker?.number, at: 8)
        statement.bind(event.thread, at: 9)
        statement.bind(event.epoch.map(Int64.init), at: 10)
        statement.bind(try self.strings.id(ofOptional: stored.name), at: 11)
        statement.bind(try stored.site.map { try self.strings.id(of: $0) }, at: 12)
        statement.bind(stored.durationNanoseconds.map(Int64.init), at: 13)
        statement.bind(stored.outcome, at: 14)
        statement.bind(stored.detail, at: 15)
        try statement.run()
        try self.project(event, id: statement.lastInsertedID, at: at)
    }

    /// Keeps `contexts`, `recycles`, `problems` and `g_snapshots` up with the event.
    private mutating func project(_ event: TrailEvent, id: Int64, at: Int64) throws {
        switch event.body {
        case .appPush(let push): self.begin(event, push, "app", at)
        case .requestPush(let push): self.begin(event, push, "request", at)
        case .appPop(let pop), .requestPop(let pop): try self.end(event, pop, at)
        case .recycle(let recycle): try self.write(recycle, event, id, at)
        case .gSnapshot(let snapshot): try self.write(snapshot, id)
        default: break
        }
        if let problem = ProblemRow(event.body) { try self.write(problem, event, id, at) }
    }

    // MARK: - Contexts

    private mutating func begin(_ event: TrailEvent, _ push: TrailEvent.Push, _ kind: String, _ at: Int64) {
        guard push.depth == 1, let id = self.id(of: event.context) else { return }
        self.begun[id] = ContextRow(
            id: id,
            kind: kind,
            push: push,
            worker: event.worker,
            epoch: event.epoch,
            pushedAt: at
        )
    }

    private mutating func end(_ event: TrailEvent, _ pop: TrailEvent.Pop, _ at: Int64) throws {
        guard pop.remaining == 0, let id = self.id(of: event.context) else { return }
        if self.begun[id] != nil {
            self.begun[id]?.pop = (pop, at)
            return
        }
        let statement = self.endContext
        statement.bind(id, at: 1)
        statement.bind(at, at: 2)
        statement.bind(Int64(pop.durationNanoseconds), at: 3)
        statement.bind(pop.outcome.rawValue, at: 4)
        statement.bind(pop.error, at: 5)
        statement.bind(try self.strings.id(of: pop.site), at: 6)
        try statement.run()
    }

    /// Adds a lifetime. One that is there already stays as it is: a batch that cannot be written would be tried for ever.
    private mutating func write(_ row: ContextRow) throws {
        let statement = self.insertContext
        let request = row.push.request
        statement.bind(row.id, at: 1)
        statement.bind(self.runID, at: 2)
        statement.bind(row.kind, at: 3)
        statement.bind(row.push.origin.rawValue, at: 4)
        statement.bind(try self.strings.id(of: row.push.app), at: 5)
        statement.bind(self.id(of: row.push.parent), at: 6)
        statement.bind(try self.strings.id(ofKindOf: row.worker), at: 7)
        statement.bind(row.worker?.number, at: 8)
        statement.bind(row.epoch.map(Int64.init), at: 9)
        statement.bind(row.pushedAt, at: 10)
        statement.bind(row.pop?.at, at: 11)
        statement.bind(row.pop.map { Int64($0.0.durationNanoseconds) }, at: 12)
        statement.bind(row.pop?.0.outcome.rawValue ?? "open", at: 13)
        statement.bind(row.pop?.0.error, at: 14)
        statement.bind(try self.strings.id(of: row.push.site), at: 15)
        statement.bind(try row.pop.map { try self.strings.id(of: $0.0.site) }, at: 16)
        statement.bind(request?.method, at: 17)
        statement.bind(request?.path, at: 18)
        statement.bind(try self.strings.id(ofOptional: request?.endpoint), at: 19)
        statement.bind(request?.requestID, at: 20)
        statement.bind(request?.traceID, at: 21)
        try statement.run()
    }

    // MARK: - Recycles, problems, snapshots

    private mutating func write(_ recycle: TrailEvent.Recycle, _ event: TrailEvent, _ id: Int64, _ at: Int64) throws {
        let statement = self.insertRecycle
        statement.bind(id, at: 1)
        statement.bind(self.runID, at: 2)
        statement.bind(Int64(event.seq), at: 3)
        statement.bind(at, at: 4)
        statement.bind(try self.strings.id(ofKindOf: event.worker), at: 5)
        statement.bind(event.worker?.number, at: 6)
        statement.bind(recycle.before.map(Int64.init), at: 7)
        statement.bind(Int64(recycle.after), at: 8)
        statement.bind(Int64(recycle.variablesDropped), at: 9)
        try statement.run()
    }

    private mutating func write(_ problem: ProblemRow, _ event: TrailEvent, _ id: Int64, _ at: Int64) throws {
        let statement = self.insertProblem
        statement.bind(id, at: 1)
        statement.bind(self.runID, at: 2)
        statement.bind(Int64(event.seq), at: 3)
        statement.bind(at, at: 4)
        statement.bind(problem.kind, at: 5)
        statement.bind(self.id(of: event.context), at: 6)
        statement.bind(self.id(of: problem.other), at: 7)
        statement.bind(try self.strings.id(ofKindOf: event.worker), at: 8)
        statement.bind(event.worker?.number, at: 9)
        statement.bind(problem.signature, at: 10)
        statement.bind(problem.message, at: 11)
        statement.bind(try problem.site.map { try self.strings.id(of: $0) }, at: 12)
        statement.bind(try problem.ownerSite.map { try self.strings.id(of: $0) }, at: 13)
        statement.bind(problem.ageNanoseconds.map { Int64(clamping: $0) }, at: 14)
        statement.bind(event.thread, at: 15)
        try statement.run()
    }

    private func write(_ snapshot: TrailEvent.Snapshot, _ id: Int64) throws {
        var json = JSONText()
        var isTruncated = snapshot.omitted > 0
        for (name, value) in snapshot.values {
            guard json.byteCount < Self.snapshotLimit else {
                isTruncated = true
                break
            }
            json.add(name.text, value)
        }
        self.insertSnapshot.bind(id, at: 1)
        self.insertSnapshot.bind(json.text, at: 2)
        self.insertSnapshot.bind(isTruncated ? 1 : 0, at: 3)
        try self.insertSnapshot.run()
    }

    /// A snapshot takes no further names once it is this long, in bytes.
    private static let snapshotLimit = 64 * 1024

    private func id(of ordinal: TrailEvent.ContextOrdinal?) -> Int64? {
        ordinal.map { self.runID << 32 | Int64($0) }
    }
}
