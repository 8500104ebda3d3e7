// What is left of a payload from which a value was erased: the chain knows only what it was before.

internal import Foundation
internal import GRDB

/// Vouches for what is left of payloads. In `payload_salt` an erased payload has a new salt and, behind it, the salted hash of what is
/// left; the latest event that has a `left` to say, a tombstone or a slice of retention, holds the digest of all of these.
enum Leftover {
    /// Writes down what is left of an event's payload. What was there of an earlier erasure goes.
    static func write(_ eventID: Int64, _ database: Database) throws {
        let salt = Commitment.makeSalt()
        guard let digest = try Commitment.digest(ofStored: eventID, salt: salt, database) else { return }
        try database.execute(
            sql: "INSERT OR REPLACE INTO payload_salt (event_id, salt) VALUES (?, ?)",
            arguments: [eventID, salt.data + digest.data]
        )
    }

    /// The digest of all that is left; nil when nothing was ever erased of what is still there.
    static func digest(_ database: Database) throws -> Digest32? {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT m.event_id, s.salt FROM commitment AS m LEFT JOIN payload_salt AS s ON s.event_id = m.event_id
                ORDER BY m.event_id
                """
        )
        var digest: RunningDigest?
        var leaf = CanonicalRow()
        while let row = try rows.next() {
            let (salt, hash) = Self.parts(of: row.bytes(1))
            leaf.begin(.left)
            leaf.append(row.integer(0))
            leaf.append(salt ?? .zero)
            leaf.append(hash ?? .zero)
            if digest == nil { digest = RunningDigest() }
            digest?.add(leaf.digest)
        }
        return digest?.value
    }

    /// The first event of which something else is left than was.
    static func finding(in database: Database) throws -> TrailVerifier.Finding? {
        guard let digest = try self.digest(database) else { return nil }
        let word = try Row.fetchOne(
            database,
            sql: """
                SELECT id, extra ->> '$.left' FROM event INDEXED BY event_by_kind_order
                WHERE kind IN (28, 30) AND extra ->> '$.left' IS NOT NULL ORDER BY id DESC LIMIT 1
                """
        )
        // A version before this one erased it.
        guard let word else { return nil }
        if let id = try self.changed(in: database) {
            return self.changed(id, "what is left of event \(id) was changed")
        }
        guard word.text(1) != digest.text else { return nil }
        return self.changed(word.integer(0) ?? 0, "what is left of erased payloads is not what this event says")
    }

    private static func changed(_ id: Int64, _ message: String) -> TrailVerifier.Finding {
        .init(kind: "row_changed", batch: nil, row: id, message: message)
    }

    private static func changed(in database: Database) throws -> Int64? {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT m.event_id, s.salt, e.extra FROM commitment AS m
                LEFT JOIN payload_salt AS s ON s.event_id = m.event_id LEFT JOIN event AS e ON e.id = m.event_id
                ORDER BY m.event_id
                """
        )
        var payload = CanonicalRow()
        while let row = try rows.next() {
            let (salt, hash) = Self.parts(of: row.bytes(1))
            guard let salt, hash == Commitment.digest(of: row, column: 2, salt: salt, &payload) else {
                return row.integer(0)
            }
        }
        return nil
    }

    private static func parts(of bytes: Data?) -> (salt: Digest32?, hash: Digest32?) {
        guard let bytes, bytes.count == 64 else { return (nil, nil) }
        return (Digest32(bytes.prefix(32)), Digest32(bytes.suffix(32)))
    }
}
