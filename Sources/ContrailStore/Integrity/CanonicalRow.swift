// Rows in the form that is hashed.

internal import Crypto
internal import GRDB

/// Writes rows in the form that is hashed: each value with its type, in the order of the columns, nothing left to be read in
/// two ways. The bytes are used again for the next row.
struct CanonicalRow {
    private var bytes = [UInt8]()

    /// Begins a row of the named table.
    mutating func begin(_ table: Table) {
        self.bytes.removeAll(keepingCapacity: true)
        self.bytes.append(table.rawValue)
    }

    /// The tables whose rows are leaves.
    enum Table: UInt8 {
        case event = 1
        case string = 2
        case lane = 3
        case run = 4
        case payload = 5
        case batch = 6
    }

    mutating func append(_ value: Int64?) {
        guard let value else { return self.bytes.append(0) }
        self.bytes.append(1)
        withUnsafeBytes(of: value.littleEndian) { self.bytes.append(contentsOf: $0) }
    }

    mutating func append(text: UnsafeRawBufferPointer) {
        self.bytes.append(2)
        withUnsafeBytes(of: Int64(text.count).littleEndian) { self.bytes.append(contentsOf: $0) }
        self.bytes.append(contentsOf: text)
    }

    mutating func append(_ text: String?) {
        guard var text else { return self.bytes.append(0) }
        text.withUTF8 { self.append(text: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ digest: Digest32) {
        self.bytes.append(3)
        withUnsafeBytes(of: digest.words) { self.bytes.append(contentsOf: $0) }
    }

    mutating func append(_ cell: RowFeedCell, of feed: RowFeed) {
        switch cell.type {
        case .null: self.bytes.append(0)
        case .integer: self.append(cell.value)
        case .text: self.append(text: feed.bytes(of: cell))
        }
    }

    /// Appends the columns of a fetched row, from the first of a range to its last.
    mutating func append(_ row: Row, columns: Range<Int>) {
        for column in columns {
            switch (row[column] as DatabaseValue).storage {
            case .int64(let value): self.append(value)
            case .string(let text): self.append(text)
            // No column that is hashed holds these: a row that does is not as it was written.
            case .double, .blob: self.bytes.append(4)
            case .null: self.bytes.append(0)
            }
        }
    }

    /// The hash of the row.
    var digest: Digest32 { self.bytes.withUnsafeBytes { Digest32(SHA256.hash(bytes: $0)) } }
}
