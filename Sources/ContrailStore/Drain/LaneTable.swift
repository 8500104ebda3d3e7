// Who did something: a run, a worker of it and a thread, stored once and named by number.

internal import ContrailRecorder
internal import GRDB

/// Numbers the lanes of one run, with a memory of those it numbered. Used inside the drain's writes only.
struct LaneTable {
    /// Beyond this many lanes the memory is begun anew; those that come back then get a second row, which costs room only.
    private static let memoryLimit = 65_536

    /// A row of the table.
    struct Stored {
        let id: Int64
        let runID: Int64
        let base: Int64
        let worker: Int64?
        let number: Int64?
        let thread: Int64?
    }

    /// What was stored since the list was taken last, in the order of its ids.
    private var stored: [Stored] = []

    private struct Lane: Hashable {
        let worker: TrailEvent.WorkerLabel?
        let thread: Int64?
    }

    private let runID: Int64
    private let insert: BulkStatement
    private var known: [Lane: Int64] = [:]
    private var last: (lane: Lane, id: Int64)?

    init(_ database: Database, runID: Int64) throws {
        self.runID = runID
        self.insert = try BulkStatement(
            database,
            "INSERT INTO lane (run_id, base, worker, number, thread) VALUES (?, ?, ?, ?, ?)"
        )
    }

    /// The number of the lane on which an event happened.
    mutating func id(of event: borrowing TrailEvent, base: Int64, _ strings: inout StringTable) throws -> Int64 {
        try self.id(worker: event.worker, thread: event.thread, base: base, &strings)
    }

    /// The number of the lane of what no worker and no thread of the run did.
    mutating func idOfNobody(base: Int64, _ strings: inout StringTable) throws -> Int64 {
        try self.id(worker: nil, thread: nil, base: base, &strings)
    }

    private mutating func id(
        worker: TrailEvent.WorkerLabel?,
        thread: Int64?,
        base: Int64,
        _ strings: inout StringTable
    ) throws -> Int64 {
        let lane = Lane(worker: worker, thread: thread)
        if let last, last.lane == lane { return last.id }
        let id = try self.id(of: lane, base: base, &strings)
        self.last = (lane, id)
        return id
    }

    private mutating func id(of lane: Lane, base: Int64, _ strings: inout StringTable) throws -> Int64 {
        if let id = self.known[lane] { return id }
        if self.known.count >= Self.memoryLimit { self.known.removeAll() }
        let worker = try strings.id(ofKindOf: lane.worker)
        self.insert.bind(self.runID, at: 1)
        self.insert.bind(base, at: 2)
        self.insert.bind(worker, at: 3)
        self.insert.bind(lane.worker?.number, at: 4)
        self.insert.bind(lane.thread, at: 5)
        try self.insert.run()
        let id = self.insert.lastInsertedID
        self.known[lane] = id
        self.stored.append(
            Stored(
                id: id,
                runID: self.runID,
                base: base,
                worker: worker,
                number: lane.worker?.number,
                thread: lane.thread
            )
        )
        return id
    }

    /// Takes the list of what was stored since the last call.
    mutating func takeStored() -> [Stored] {
        defer { self.stored.removeAll() }
        return self.stored
    }

    /// Forgets everything: after a rollback numbers may be free again.
    mutating func forget() {
        self.stored.removeAll()
        self.known.removeAll()
        self.last = nil
    }
}
