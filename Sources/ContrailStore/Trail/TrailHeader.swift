// Who wrote a database file, read from its first bytes.

private import Foundation

/// The two fields of an SQLite file's header that say whose it is. Reading them opens no database and leaves no file.
struct TrailHeader {
    let applicationID: Int32
    let schemaVersion: Int
    /// Whether it has no table yet, but for the one that remembers migrations: somebody is making it just now.
    let isBegun: Bool

    init(applicationID: Int32, schemaVersion: Int, isBegun: Bool) {
        self.applicationID = applicationID
        self.schemaVersion = schemaVersion
        self.isBegun = isBegun
    }

    /// Reads the header; throws `notADatabase` or `inaccessible`.
    init(file path: String) throws(StoreError) {
        guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: 108) ?? Data() else {
            throw StoreError(.inaccessible, "\(path) cannot be read: check its owner and mode")
        }
        guard !bytes.isEmpty else {
            throw StoreError(
                .notATrail,
                "\(path) is empty: start the service that writes it first, or name another file"
            )
        }
        guard bytes.count == 108, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreError(
                .notADatabase,
                "\(path) is not an SQLite database: name another file, or move this one away"
            )
        }
        // Offsets of the file format: user_version and application_id, big-endian.
        self.schemaVersion = Int(Self.integer(in: bytes, at: 60))
        self.applicationID = Self.integer(in: bytes, at: 68)
        // The schema's root page: its kind, and how many cells it has.
        self.isBegun =
            bytes[bytes.startIndex + 100] == 13 && bytes[bytes.startIndex + 103] == 0
            && bytes[bytes.startIndex + 104] == 0
    }

    private static func integer(in bytes: Data, at offset: Int) -> Int32 {
        bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + 4)].reduce(0) { $0 << 8 | Int32($1) }
    }
}
