// What stands for a payload in the leaf of its event, so that the payload can go and the leaf can stay.

internal import Crypto
internal import GRDB

/// A salted hash of a payload. The salt goes with the payload: without it nobody can try values until one fits.
enum Commitment {
    /// The kinds whose `extra` is a payload: what users stored, rather than what happened.
    static func isPayload(kind: Int64) -> Bool {
        switch kind {
        case 8, 10, 22, 23, 24: true
        default: false
        }
    }

    /// A new salt for a batch.
    static func makeSalt() -> Digest32 {
        var random = SystemRandomNumberGenerator()
        var salt = Digest32()
        salt.words = (random.next(), random.next(), random.next(), random.next())
        return salt
    }

    /// The salt of one event's payload.
    static func salt(of eventID: Int64, in batchSalt: Digest32) -> Digest32 {
        var bytes = (batchSalt.words, eventID.littleEndian)
        return withUnsafeBytes(of: &bytes) { Digest32(SHA256.hash(bytes: $0)) }
    }

    /// The commitment to the payload of an event as it is stored; nil when there is no such event.
    static func digest(ofStored eventID: Int64, salt: Digest32, _ database: Database) throws -> Digest32? {
        var payload = CanonicalRow()
        let rows = try Row.fetchCursor(database, sql: "SELECT extra FROM event WHERE id = ?", arguments: [eventID])
        return try withExtendedLifetime(rows) {
            try rows.next().map { self.digest(of: $0, column: 0, salt: salt, &payload) }
        }
    }

    /// The commitment to the payload in a column of a row that a cursor stands on.
    static func digest(of row: Row, column: Int, salt: Digest32, _ payload: inout CanonicalRow) -> Digest32 {
        payload.begin(.payload)
        payload.append(salt)
        payload.append(row, columns: column..<(column + 1))
        return payload.digest
    }
}
