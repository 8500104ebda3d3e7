// Holds the tables, indexes, triggers and views of a trail against those that the migrations make.

private import ContrailMigrations
internal import GRDB

/// What reads the rows is part of what they say: a view with another number in it shows other values.
enum SchemaCheck {
    /// The first table, index, trigger, view or name of a kind of event that is not as the migrations made it. What somebody
    /// added is not looked at.
    static func finding(in database: Database) throws -> TrailVerifier.Finding? {
        let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        let found = try self.contents(of: database)
        for (name, text) in try self.expected(version).sorted(by: { $0.key < $1.key }) where found[name] != text {
            return .init(
                kind: "schema_changed",
                batch: nil,
                row: nil,
                message: "\(name) is not as this version made it, or is missing"
            )
        }
        let kinds = found.keys.filter { $0.hasPrefix(Self.kind) }.count
        guard kinds == self.kinds(version) else {
            return .init(kind: "schema_changed", batch: nil, row: nil, message: "there are \(kinds) kinds of events")
        }
        return nil
    }

    private static let kind = "the kind of event "

    /// What a new trail of each version has.
    private static let made: [Int: [String: String]] = {
        var made: [Int: [String: String]] = [:]
        guard let queue = try? DatabaseQueue() else { return made }
        for (index, migration) in migrations.enumerated() {
            made[index + 1] = try? queue.inDatabase { database in
                try database.execute(sql: migration.sql)
                return try SchemaCheck.contents(of: database)
            }
        }
        return made
    }()

    private static func expected(_ version: Int) throws -> [String: String] {
        guard let expected = self.made[version] else { throw DatabaseError(message: "no schema \(version)") }
        return expected
    }

    private static func kinds(_ version: Int) -> Int {
        self.made[version]?.keys.filter { $0.hasPrefix(Self.kind) }.count ?? 0
    }

    private static func contents(of database: Database) throws -> [String: String] {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT 'the ' || type || ' ' || name || ' of ' || tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL
                UNION ALL SELECT '\(Self.kind)' || id, name FROM event_kind
                """
        )
        var contents: [String: String] = [:]
        while let row = try rows.next() { contents[row.text(0) ?? ""] = row.text(1) ?? "" }
        return contents
    }
}
