// Writes events and what follows from them, in one transaction.

internal import ContrailRecorder
internal import GRDB

/// The statements that add events to a trail, for one run. Confined to the connection's writes.
///
/// The run need not be the writer's own: events that a dead one left behind are written in the same way, and those that
/// are stored already are passed over.
struct BatchWriter {
    /// How many events a batch may have. Retention drops batches as a whole, and others wait meanwhile.
    private static let mostEvents = 8192

    private let runID: Int64
    private let clock: RunClock
    private var strings: StringTable
    private var lanes: LaneTable
    private var json = JSONText()
    private var chain: BatchChain
    /// The end of the chain after the last batch that was written.
    private(set) var head: ChainHead?

    private let events: RowFeed
    private let contexts: RowFeed
    private let insertEvents: BulkStatement
    private let insertContexts: BulkStatement
    private let endContext: BulkStatement
    private let insertProblem: BulkStatement
    private let lastID: BulkStatement
    private let selectGeneration: BulkStatement
    private let ownEvents: Statement

    /// The latest time that was written. A thread may read the clock after another one that took a later number.
    private var latest: Int64
    /// The same, and the head, as the last commit left them.
    private var committed: (latest: Int64, head: ChainHead?)
    /// `id - seq` of the run's first event.
    private var base: Int64?
    /// How often names had been removed from the trail when these were remembered.
    private var generation: Int64?

    /// Lifetimes that began in this batch, and where each of them is.
    private var begun: [ContextRow] = []
    private var places: [Int64: Int] = [:]

    init(_ database: Database, runID: Int64, clock: RunClock, integrity: TrailStore.Integrity) throws {
        self.runID = runID
        self.clock = clock
        self.chain = try BatchChain(database, runID: runID, integrity: integrity)
        self.strings = try StringTable(database)
        self.lanes = try LaneTable(database, runID: runID)
        self.events = try RowFeed(database, width: 12)
        self.contexts = try RowFeed(database, width: 11)
        self.insertEvents = try BulkStatement(
            database,
            """
            INSERT INTO event (id, shift, at, kind, context_id, lane, epoch, name, site, duration_ns, code, extra)
            SELECT * FROM \(self.events.name)
            """
        )
        self.insertContexts = try BulkStatement(
            database,
            """
            INSERT OR IGNORE INTO context (context_id, push_id, pop_id, pushed_at, outcome, parent_id, method, path,
                endpoint, request_id, trace_id)
            SELECT * FROM \(self.contexts.name)
            """
        )
        self.endContext = try BulkStatement(
            database,
            "UPDATE context SET pop_id = ?2, outcome = ?3 WHERE context_id = ?1"
        )
        self.insertProblem = try BulkStatement(
            database,
            """
            INSERT INTO problem (id, run_id, seq, at, kind, context_id, other_context_id, worker, worker_number, signature,
                message, site, owner_site, age_ns, reader_thread)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        // What retention dropped keeps its numbers.
        self.lastID = try BulkStatement(
            database,
            "SELECT max(ifnull((SELECT max(id) FROM event), 0), ifnull((SELECT last_id FROM anchor), 0))"
        )
        self.selectGeneration = try BulkStatement(database, "SELECT generation FROM retention")
        self.generation = try self.selectGeneration.runReturningInteger()
        self.ownEvents = try database.makeStatement(
            sql: """
                SELECT e.id - l.base + e.shift AS seq, e.at FROM event AS e CROSS JOIN lane AS l ON l.id = e.lane
                WHERE l.run_id = ? ORDER BY e.id DESC
                """
        )
        self.latest = 0
        self.committed = (0, nil)
        self.base = try Int64.fetchOne(
            database,
            sql: "SELECT base FROM lane WHERE run_id = ? LIMIT 1",
            arguments: [runID]
        )
        if self.base != nil {
            self.latest = try Row.fetchOne(self.ownEvents, arguments: [runID])?["at"] ?? 0
            self.committed.latest = self.latest
        }
    }

    /// Writes the events, which are in the order of their numbers: a batch, or several when they are many. The caller owns the
    /// transaction, and calls ``didCommit()`` or ``forget()`` when it was committed or rolled back.
    mutating func write(_ events: [TrailEvent], _ database: Database) throws {
        var rest = events[...]
        while let first = rest.first {
            let part = rest.prefix(Self.mostEvents)
            rest = rest.dropFirst(part.count)
            try self.write(database, firstSeq: Int64(first.seq)) { writer, nextID, base in
                for event in part {
                    try writer.add(event, id: nextID, base: base)
                    nextID += 1
                }
            }
        }
    }

    /// Writes one event that no recorder made: what a command did to the trail.
    mutating func write(
        _ kind: Int64,
        seq: Int64,
        at: Int64,
        name: String?,
        context: Int64? = nil,
        json: String,
        _ database: Database
    ) throws {
        let at = max(at, self.latest)
        try self.write(database, firstSeq: seq) { writer, nextID, base in
            let lane = try writer.lanes.idOfNobody(base: base, &writer.strings)
            let nameID = try writer.strings.id(ofOptional: name.map { RecordedText($0) })
            for cell in [nextID, seq - (nextID - base), at, kind, context, lane, nil, nameID, nil, nil, nil] {
                writer.events.append(cell)
            }
            writer.events.append(json)
            writer.chain.add(writer.events, seq: seq, request: nil)
        }
    }

    private mutating func write(
        _ database: Database,
        firstSeq: Int64,
        _ add: (inout BatchWriter, _ nextID: inout Int64, _ base: Int64) throws -> Void
    ) throws {
        let generation = try self.selectGeneration.runReturningInteger()
        if generation != self.generation {
            self.strings.forget()
            self.lanes.forget()
            self.generation = generation
        }
        var nextID = (try self.lastID.runReturningInteger() ?? 0) + 1
        // A batch before this one may have been rolled back together with the base that it had established.
        let base = self.base ?? nextID - firstSeq
        self.base = base
        try self.chain.begin(database, firstID: nextID, firstSeq: firstSeq)
        try add(&self, &nextID, base)
        try self.insertEvents.run()
        if !self.begun.isEmpty { try self.writeContexts() }
        for string in self.strings.takeStored() { self.chain.addString(string.id, string.text) }
        for lane in self.lanes.takeStored() { self.chain.addLane(lane) }
        self.head = try self.chain.end()
        self.empty()
    }

    /// Writes those of a run's events that are not stored. They are in the order of their numbers, and no other writer of
    /// the run is left.
    @discardableResult
    mutating func writeMissing(_ events: [TrailEvent], _ database: Database) throws -> Int {
        guard let first = events.first else { return 0 }
        var stored: Set<UInt64> = []
        let rows = try Row.fetchCursor(self.ownEvents, arguments: [self.runID])
        while let row = try rows.next() {
            let seq: Int64 = row["seq"]
            stored.insert(UInt64(seq))
            // Within a run the order of ids is that of numbers.
            if seq <= Int64(first.seq) { break }
        }
        let gone = UInt64(
            try Int64.fetchOne(database, sql: "SELECT gone_seq FROM run WHERE run_id = ?", arguments: [self.runID]) ?? 0
        )
        // Nearly always all are missing, and then none is copied.
        let isMissing = { (event: borrowing TrailEvent) in event.seq > gone && !stored.contains(event.seq) }
        let areAllMissing = events.allSatisfy { isMissing($0) }
        let missing = areAllMissing ? events : events.filter { isMissing($0) }
        try self.write(missing, database)
        return missing.count
    }

    /// Remembers what a commit made final.
    mutating func didCommit() {
        self.committed = (self.latest, self.head)
        self.chain.didCommit()
    }

    /// Forgets what a rolled-back transaction had established.
    mutating func forget() {
        self.empty()
        (self.latest, self.head) = self.committed
        self.chain.forget()
        self.strings.forget()
        self.lanes.forget()
    }

    private mutating func empty() {
        self.events.removeAll()
        self.contexts.removeAll()
        self.begun.removeAll(keepingCapacity: true)
        self.places.removeAll(keepingCapacity: true)
    }

    // MARK: - Events

    private mutating func add(_ event: borrowing TrailEvent, id: Int64, base: Int64) throws {
        let at = max(self.latest, self.clock.microseconds(at: event.monotonicNanoseconds))
        self.latest = at
        let runID = self.runID
        let stored = StoredEvent(event.body, json: &self.json) { runID << 32 | Int64($0) }
        let feed = self.events
        feed.append(id)
        feed.append(Int64(event.seq) - (id - base))
        feed.append(at)
        feed.append(Int64(event.kind.code))
        feed.append(self.id(of: event.context))
        feed.append(try self.lanes.id(of: event, base: base, &self.strings))
        feed.append(event.epoch.map { Int64(clamping: $0) })
        feed.append(try self.strings.id(ofOptional: stored.name))
        feed.append(try self.strings.id(ofOptional: stored.site))
        feed.append(stored.durationNanoseconds.map { Int64(clamping: $0) })
        feed.append(stored.code)
        switch stored.extra {
        case .none: feed.append(Int64?.none)
        case .integer(let integer): feed.append(integer)
        case .text(let text): feed.append(text)
        case .json: self.json.bytes.withUnsafeBytes { feed.append(text: $0) }
        }
        let begun = self.begun.count
        try self.project(event, id: id, at: at)
        let context = self.begun.count > begun ? self.begun.last : nil
        self.chain.add(feed, seq: Int64(event.seq), request: context?.isRequest == true ? context : nil)
    }

    /// Keeps `context` and `problem` up with the event.
    private mutating func project(_ event: borrowing TrailEvent, id: Int64, at: Int64) throws {
        switch event.body {
        case .appPush(let push): try self.begin(event.context, push, isRequest: false, id, at)
        case .requestPush(let push): try self.begin(event.context, push, isRequest: true, id, at)
        case .appPop(let pop), .requestPop(let pop): try self.end(event.context, pop, id)
        case .problem, .teardown, .drop, .torn:
            if let problem = ProblemRow(event.body) { try self.write(problem, event, id, at) }
        default: break
        }
    }

    // MARK: - Contexts

    private mutating func begin(
        _ context: TrailEvent.ContextOrdinal?,
        _ push: TrailEvent.Push,
        isRequest: Bool,
        _ pushID: Int64,
        _ at: Int64
    ) throws {
        guard push.depth == 1, let id = self.id(of: context) else { return }
        self.places[id] = self.begun.count
        self.begun.append(
            ContextRow(
                id: id,
                pushID: pushID,
                pushedAt: at,
                parentID: self.id(of: push.parent),
                request: push.request,
                method: isRequest ? try self.strings.id(of: push.request?.method ?? "") : nil,
                endpoint: try self.strings.id(ofOptional: push.request?.endpoint)
            )
        )
    }

    private mutating func end(_ context: TrailEvent.ContextOrdinal?, _ pop: TrailEvent.Pop, _ popID: Int64) throws {
        guard pop.remaining == 0, let id = self.id(of: context) else { return }
        if let place = self.places[id] {
            self.begun[place].pop = (popID, pop.outcome)
            return
        }
        self.endContext.bind(id, at: 1)
        self.endContext.bind(popID, at: 2)
        self.endContext.bind(pop.outcome.rawValue, at: 3)
        try self.endContext.run()
    }

    /// Adds the lifetimes that began, in the order of their ids, which is where the table grows. One that is there already
    /// stays as it is: a batch that cannot be written would be tried for ever.
    private mutating func writeContexts() throws {
        if !zip(self.begun, self.begun.dropFirst()).allSatisfy({ $0.id < $1.id }) {
            self.begun.sort { $0.id < $1.id }
        }
        let feed = self.contexts
        for row in self.begun {
            feed.append(row.id)
            feed.append(row.pushID)
            feed.append(row.pop?.id)
            feed.append(row.pushedAt)
            feed.append(row.pop?.outcome.rawValue ?? "open")
            feed.append(row.parentID)
            feed.append(row.method)
            feed.append(row.request?.path)
            feed.append(row.endpoint)
            feed.append(row.request?.requestID)
            feed.append(row.request?.traceID)
        }
        try self.insertContexts.run()
    }

    // MARK: - Problems

    private mutating func write(
        _ problem: ProblemRow,
        _ event: borrowing TrailEvent,
        _ id: Int64,
        _ at: Int64
    ) throws {
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
        statement.bind(try self.strings.id(ofOptional: problem.site), at: 12)
        statement.bind(try self.strings.id(ofOptional: problem.ownerSite), at: 13)
        statement.bind(problem.ageNanoseconds.map { Int64(clamping: $0) }, at: 14)
        statement.bind(event.thread, at: 15)
        try statement.run()
    }

    private func id(of ordinal: TrailEvent.ContextOrdinal?) -> Int64? {
        ordinal.map { self.runID << 32 | Int64($0) }
    }
}
