// Rows in the form that is hashed.

internal import Crypto
private import Foundation
internal import GRDB

/// Writes rows in the form that is hashed: each value with its type, in the order of the columns, nothing left to be read in
/// two ways. The bytes are used again for the next row.
struct CanonicalRow {
    private let bytes = RowBytes()

    /// Begins a row of the named table.
    mutating func begin(_ table: Table) {
        self.bytes.count = 0
        self.bytes.append(byte: table.rawValue)
    }

    /// What is hashed: the tables whose rows are leaves, and what is made of leaves.
    enum Table: UInt8 {
        case event = 1
        case string = 2
        case lane = 3
        case run = 4
        case payload = 5
        case batch = 6
        case anchor = 7
        case running = 8
        case left = 9
    }

    mutating func append(_ value: Int64?) {
        guard let value else { return self.bytes.append(byte: 0) }
        self.bytes.append(byte: 1)
        self.bytes.append(integer: value)
    }

    mutating func append(text: UnsafeRawBufferPointer) {
        self.bytes.append(byte: 2)
        self.bytes.append(integer: Int64(text.count))
        self.bytes.append(raw: text)
    }

    mutating func append(_ text: String?) {
        guard var text else { return self.bytes.append(byte: 0) }
        text.withUTF8 { self.append(text: UnsafeRawBufferPointer($0)) }
    }

    mutating func append(_ digest: Digest32) {
        self.bytes.append(byte: 3)
        withUnsafeBytes(of: digest.words) { self.bytes.append(raw: $0) }
    }

    mutating func append(_ cell: RowFeedCell, of feed: RowFeed) {
        switch cell.type {
        case .null: self.bytes.append(byte: 0)
        case .integer: self.append(cell.value)
        case .text: self.append(text: feed.bytes(of: cell))
        }
    }

    /// Appends the columns of a row, from the first of a range to its last. The row must be one that a cursor stands on: of a
    /// copy, text ends at its first zero byte.
    mutating func append(_ row: Row, columns: Range<Int>) {
        for column in columns {
            switch (row[column] as DatabaseValue).storage {
            case .int64(let value): self.append(value)
            case .string: self.append(textOf: row, column)
            // No column that is hashed holds these: a row that does is not as it was written.
            case .double, .blob: self.bytes.append(byte: 4)
            case .null: self.bytes.append(byte: 0)
            }
        }
    }

    private mutating func append(textOf row: Row, _ column: Int) {
        let isText: Void? = try? row.withUnsafeData(atIndex: column) { data in
            (data ?? Data()).withUnsafeBytes { self.append(text: $0) }
        }
        if isText == nil { self.bytes.append(byte: 4) }
    }

    /// The hash of the row.
    var digest: Digest32 { Digest32(SHA256.hash(bytes: self.bytes.all)) }
}

/// Bytes that are written one value after another, in memory of their own: an array's checks take longer than the hash.
private final class RowBytes {
    var count = 0

    private var start = UnsafeMutableRawPointer.allocate(byteCount: 512, alignment: 16)
    private var capacity = 512

    deinit {
        self.start.deallocate()
    }

    /// All bytes so far. Valid until the next one.
    var all: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: self.start, count: self.count) }

    @inline(__always)
    func append(byte: UInt8) {
        self.reserve(1)
        self.start.storeBytes(of: byte, toByteOffset: self.count, as: UInt8.self)
        self.count += 1
    }

    @inline(__always)
    func append(integer value: Int64) {
        self.reserve(8)
        self.start.storeBytes(of: value.littleEndian, toByteOffset: self.count, as: Int64.self)
        self.count += 8
    }

    func append(raw bytes: UnsafeRawBufferPointer) {
        self.reserve(bytes.count)
        if let source = bytes.baseAddress { (self.start + self.count).copyMemory(from: source, byteCount: bytes.count) }
        self.count += bytes.count
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if self.count + more > self.capacity { self.grow(by: more) }
    }

    private func grow(by more: Int) {
        let larger = max(self.capacity * 2, self.count + more)
        let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        moved.copyMemory(from: self.start, byteCount: self.count)
        self.start.deallocate()
        self.start = moved
        self.capacity = larger
    }
}
