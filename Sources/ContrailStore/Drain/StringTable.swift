// Strings of bounded sets, stored once and named by number.

internal import ContrailRecorder
internal import GRDB

/// Numbers strings, with a memory of what it numbered. Used inside the drain's writes only.
struct StringTable {
    /// Beyond this many strings the memory is begun anew; the table in the database keeps them all.
    private static let memoryLimit = 65_536

    private let select: BulkStatement
    private let insert: BulkStatement
    private var known: [String: Int64] = [:]
    /// By the entry in the run's dictionary; 0 where none is known.
    private var entries: [Int64] = []
    private var workerKinds: [String: Int64] = [:]

    /// What was stored since the list was taken last, in the order of its ids.
    private var stored: [(id: Int64, text: String)] = []

    init(_ database: Database) throws {
        self.select = try BulkStatement(database, "SELECT id FROM string WHERE value = ?")
        self.insert = try BulkStatement(database, "INSERT INTO string (value) VALUES (?)")
    }

    /// The number of a string.
    mutating func id(of text: String) throws -> Int64 {
        if let id = self.known[text] { return id }
        if self.known.count >= Self.memoryLimit { self.known.removeAll() }
        self.select.bind(text, at: 1)
        if let id = try self.select.runReturningInteger() {
            self.known[text] = id
            return id
        }
        self.insert.bind(text, at: 1)
        try self.insert.run()
        let id = self.insert.lastInsertedID
        self.known[text] = id
        self.stored.append((id, text))
        return id
    }

    /// The number of a text, which is looked up once for each entry of the run's dictionary.
    mutating func id(of text: RecordedText) throws -> Int64 {
        let entry = Int(text.entry)
        guard entry != 0 else { return try self.id(of: text.text) }
        if entry < self.entries.count, self.entries[entry] != 0 { return self.entries[entry] }
        let id: Int64 = try self.id(of: text.text)
        if entry >= self.entries.count {
            self.entries += Array(repeating: 0, count: max(entry + 1, 2 * self.entries.count) - self.entries.count)
        }
        self.entries[entry] = id
        return id
    }

    /// The number of a text, if there is one.
    mutating func id(ofOptional text: RecordedText?) throws -> Int64? {
        guard let text else { return nil }
        return try self.id(of: text)
    }

    /// The number of a worker's kind, with the separator that stands before its number.
    mutating func id(ofKindOf worker: TrailEvent.WorkerLabel?) throws -> Int64? {
        guard let worker else { return nil }
        if let id = self.workerKinds[worker.kind.text] { return id }
        let separator = worker.kind.text.utf8.contains(UInt8(ascii: ":")) ? "/" : ":"
        let id: Int64 = try self.id(of: worker.kind.text + separator)
        self.workerKinds[worker.kind.text] = id
        return id
    }

    /// Takes the list of what was stored since the last call.
    mutating func takeStored() -> [(id: Int64, text: String)] {
        defer { self.stored.removeAll() }
        return self.stored
    }

    /// Forgets everything: after a rollback numbers may be free again.
    mutating func forget() {
        self.stored.removeAll()
        self.known.removeAll()
        self.entries.removeAll()
        self.workerKinds.removeAll()
    }
}
