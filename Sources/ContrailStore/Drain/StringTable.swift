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
    private var sites: [SiteKey: Int64] = [:]
    private var workerKinds: [String: Int64] = [:]

    private struct SiteKey: Hashable {
        let file: UnsafePointer<UInt8>
        let line: UInt
    }

    init(_ database: Database) throws {
        self.select = try BulkStatement(database, "SELECT id FROM string WHERE value = ?")
        self.insert = try BulkStatement(database, "INSERT INTO string (value) VALUES (?)")
    }

    /// The number of a string.
    mutating func id(of text: String) throws -> Int64 {
        if let id = self.known[text] { return id }
        if self.known.count >= Self.memoryLimit { self.forget() }
        self.select.bind(text, at: 1)
        if let id = try self.select.runReturningInteger() {
            self.known[text] = id
            return id
        }
        self.insert.bind(text, at: 1)
        try self.insert.run()
        let id = self.insert.lastInsertedID
        self.known[text] = id
        return id
    }

    /// The number of a string, if there is one.
    mutating func id(ofOptional text: String?) throws -> Int64? {
        guard let text else { return nil }
        return try self.id(of: text)
    }

    /// The number of a place's text.
    mutating func id(of site: Site) throws -> Int64 {
        guard site.fileID.hasPointerRepresentation else { return try self.id(of: site.description) }
        let key = SiteKey(file: site.fileID.utf8Start, line: site.line)
        if let id = self.sites[key] { return id }
        let id: Int64 = try self.id(of: site.description)
        self.sites[key] = id
        return id
    }

    /// The number of a worker's kind, with the separator that stands before its number.
    mutating func id(ofKindOf worker: TrailEvent.WorkerLabel?) throws -> Int64? {
        guard let worker else { return nil }
        if let id = self.workerKinds[worker.kind] { return id }
        let separator = worker.kind.utf8.contains(UInt8(ascii: ":")) ? "/" : ":"
        let id: Int64 = try self.id(of: worker.kind + separator)
        self.workerKinds[worker.kind] = id
        return id
    }

    /// Forgets everything: after a rollback numbers may be free again.
    mutating func forget() {
        self.known.removeAll()
        self.sites.removeAll()
        self.workerKinds.removeAll()
    }
}
