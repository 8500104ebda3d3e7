// What the payload of one event loses when a value is erased.

private import Foundation
internal import GRDB

/// An event, and what its payload will be.
struct ErasedPayload {
    let eventID: Int64
    /// SQL over `extra`.
    private let sql: String
    private let arguments: StatementArguments

    /// All of it goes.
    init(eventID: Int64) {
        self.eventID = eventID
        (self.sql, self.arguments) = ("NULL", [])
    }

    /// Of an object the values of these members go.
    init(eventID: Int64, members: [String]) {
        self.eventID = eventID
        self.sql = """
            (SELECT json_group_object(j.key, CASE WHEN j.key IN (SELECT value FROM json_each(?)) THEN json('{"erased":true}')
                WHEN j.type IN ('object', 'array', 'true', 'false', 'null') THEN json(j.json) ELSE j.value END)
            FROM (SELECT key, type, value, CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false'
                WHEN 'null' THEN 'null' ELSE value END AS json FROM json_each(event.extra)) AS j)
            """
        self.arguments = [Self.json(members)]
    }

    /// Of a part of an exchange go what is at the paths, of which each is there when those before it are gone, and the target for
    /// another one. What is missing then is named.
    init(eventID: Int64, paths: [String], target: String?, erased: [String]) {
        self.eventID = eventID
        let without = "json_remove(extra\(String(repeating: ", ?", count: paths.count)))"
        self.sql = "json_set(\(without)\(target == nil ? "" : ", '$.target', ?"), '$.erased', json(?))"
        self.arguments = StatementArguments(paths + [target].compactMap(\.self) + [Self.json(erased)])
    }

    /// Changes the payload. What stands for it in the event's leaf has to be kept before.
    func apply(_ database: Database) throws {
        try database.execute(
            sql: "UPDATE event SET extra = \(self.sql) WHERE id = ?",
            arguments: self.arguments + [self.eventID]
        )
    }

    private static func json(_ names: [String]) -> String {
        (try? JSONEncoder().encode(names)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }
}
