// What a database file says, read with SQLite alone.

internal import GRDBSQLite

/// Every stored row and every row of the published views, byte for byte. Nothing of the verifier has a part in it.
package struct StoredRows: Equatable {
    /// What retention keeps its books in. No view shows it, and no chain vouches for it.
    static let books: Set<String> = ["retention", "pin", "grdb_migrations"]

    private static let names = [
        "run", "event", "context", "problem", "string", "lane", "event_kind", "batch", "anchor", "kept", "commitment",
        "payload_salt", "runs", "contexts", "events", "teardowns", "g_snapshots", "recycles", "problems", "g_versions",
    ]

    private var bytes: [String: [UInt8]] = [:]

    /// Reads a file. Nil when SQLite refuses to open it or to read one of the tables or views.
    package init?(of path: String) {
        var connection: OpaquePointer?
        defer { sqlite3_close_v2(connection) }
        guard sqlite3_open_v2(path, &connection, SQLITE_OPEN_READONLY, nil) == SQLITE_OK else { return nil }
        for name in Self.names + Self.books {
            guard let bytes = Self.read(name, connection) else { return nil }
            self.bytes[name] = bytes
        }
    }

    /// The tables and views that are not as they are in the other.
    package func differences(from other: StoredRows) -> Set<String> {
        Set(self.bytes.keys.filter { self.bytes[$0] != other.bytes[$0] })
    }

    private static func read(_ name: String, _ connection: OpaquePointer?) -> [UInt8]? {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(connection, "SELECT * FROM \(name)", -1, &statement, nil) == SQLITE_OK else {
            return nil
        }
        var bytes: [UInt8] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: self.append(statement, to: &bytes)
            case SQLITE_DONE: return bytes
            default: return nil
            }
        }
    }

    /// Each column with its type, its length and its bytes: no two rows read alike.
    private static func append(_ statement: OpaquePointer?, to bytes: inout [UInt8]) {
        for column in 0..<sqlite3_column_count(statement) {
            let type = sqlite3_column_type(statement, column)
            bytes.append(UInt8(type))
            guard type != SQLITE_NULL else { continue }
            let start = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            withUnsafeBytes(of: count) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
        }
    }
}
