// Where in a trail a value stands that is to be erased.

internal import GRDB

/// The events and exchanges that hold a value. Looking takes a while on a long trail, and needs no lock: what was found is looked at
/// again when it is changed.
struct ValueSearch {
    /// Values of `g`, snapshots, and drawn values.
    private var events: Set<Int64> = []
    private var exchanges: Set<RecordedExchange.Name> = []
    /// What has a higher id was not looked at.
    private var lastID: Int64 = 0

    private let sought: SoughtValue

    init(_ sought: SoughtValue) {
        self.sought = sought
    }

    /// Looks at what has come since the last time.
    mutating func goOn(_ database: Database) throws {
        try self.lookAtValues(database)
        try self.lookAtSnapshots(database)
        try self.lookAtExchanges(database)
        self.lastID = try Int64.fetchOne(database, sql: "SELECT max(id) FROM event") ?? 0
    }

    /// What the payloads are without the value. Nil: nothing is left of it.
    func replacements(_ database: Database) throws -> [(eventID: Int64, text: String?)] {
        let single = try self.events.sorted().compactMap { id in try self.replacement(of: id, database) }
        let exchanges = try self.exchanges.flatMap { name in
            try RecordedExchange(database, name).without(self.sought)
                .map { (eventID: $0.eventID, text: Optional($0.text)) }
        }
        return (single + exchanges).sorted { $0.eventID < $1.eventID }
    }

    private mutating func lookAtValues(_ database: Database) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, NULL, NULL FROM event WHERE kind = 8 AND id > ?4 AND name = (SELECT id FROM string WHERE value = ?1)
                    AND iif(code = 3, iif(extra, 'true', 'false'), CAST(extra AS TEXT)) = ?2
                UNION ALL
                SELECT e.id, (SELECT value FROM string WHERE id = e.name), e.extra FROM event AS e
                WHERE (e.kind = 24 OR e.kind = 8 AND e.code IN (4, 5)) AND e.id > ?4 AND typeof(e.extra) = 'text'
                    AND (e.name = (SELECT id FROM string WHERE value = ?1) OR instr(e.extra, ?3))
                """,
            arguments: [self.sought.key, self.sought.text, self.sought.keyInDocuments, self.lastID]
        )
        while let row = try rows.next() {
            guard let id = row.integer(0) else { continue }
            if let text = row.text(2), !self.sought.isIn(stored: Array(text.utf8), under: row.text(1)) { continue }
            self.events.insert(id)
        }
    }

    private mutating func lookAtSnapshots(_ database: Database) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, extra FROM event WHERE kind = 10 AND id > ?2 AND instr(extra, ?1)",
            arguments: [self.sought.keyInDocuments, self.lastID]
        )
        while let row = try rows.next() {
            guard let id = row.integer(0), let text = row.text(1) else { continue }
            if self.snapshot(text) != nil { self.events.insert(id) }
        }
    }

    private mutating func lookAtExchanges(_ database: Database) throws {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT DISTINCT context_id, kind FROM event WHERE kind IN (22, 23) AND id > ? AND context_id IS NOT NULL
                """,
            arguments: [self.lastID]
        )
        for row in rows {
            guard let context = row.integer(0), let kind = row.integer(1) else { continue }
            let name = RecordedExchange.Name(context: context, kind: kind)
            if try !RecordedExchange(database, name).without(self.sought).isEmpty { self.exchanges.insert(name) }
        }
    }

    private func replacement(of id: Int64, _ database: Database) throws -> (eventID: Int64, text: String?)? {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT kind, extra FROM event WHERE id = ? AND extra IS NOT NULL",
            arguments: [id]
        )
        guard let row = try rows.next() else { return nil }
        if row.integer(0) != 10 { return (id, nil) }
        return row.text(1).flatMap { self.snapshot($0) }.map { (id, $0) }
    }

    /// A snapshot without the values that are the one, or have it in them; nil when there are none. All others stay to the byte.
    private func snapshot(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        var (output, end): ([UInt8], Int) = ([], 0)
        for (name, value) in DocumentScanner.items(of: bytes) ?? [] {
            guard self.sought.isIn(stored: Array(bytes[value]), under: name) else { continue }
            output += bytes[end..<value.lowerBound] + Array(#"{"erased":true}"#.utf8)
            end = value.upperBound
        }
        return end == 0 ? nil : String(decoding: output + bytes[end...], as: UTF8.self)
    }
}
