// A row of `batch` as it is read back, from a file that may say anything.

internal import Foundation
internal import GRDB

/// The columns of one batch.
struct StoredBatch {
    /// From `id` to `last_lane`.
    let numbers: [Int64?]
    let id: Int64
    let runID: Int64
    let firstID: Int64
    let lastID: Int64
    let strings: ClosedRange<Int64>?
    let lanes: ClosedRange<Int64>?
    let root: Digest32?
    let mac: Data?
    let salt: Digest32?
    let tags: [UInt8]

    /// Whether the batch was written without a chain.
    let isUnchained: Bool

    /// Nil when a column has not the type that it was written with.
    init?(_ row: Row) {
        self.numbers = (0..<10).map { row.integer($0) }
        guard let id = self.numbers[0], let runID = self.numbers[1], let firstID = self.numbers[2],
            let lastID = self.numbers[3], 0 < firstID, firstID <= lastID, lastID < .max / 4
        else { return nil }
        (self.id, self.runID, self.firstID, self.lastID) = (id, runID, firstID, lastID)
        self.strings = Self.range(self.numbers[6], self.numbers[7])
        self.lanes = Self.range(self.numbers[8], self.numbers[9])
        self.isUnchained = row.hasNull(atIndex: 10)
        self.root = row.bytes(10).flatMap { Digest32($0) }
        self.mac = row.bytes(11)
        self.salt = row.bytes(12).flatMap { Digest32($0) }
        self.tags = row.bytes(13).map { Array($0) } ?? []
        // A mac that nobody checks without the key still has the length of one.
        for column in 10..<13 where !row.hasNull(atIndex: column) && row.bytes(column)?.count != 32 { return nil }
    }

    private static func range(_ first: Int64?, _ last: Int64?) -> ClosedRange<Int64>? {
        guard let first, let last, first <= last else { return nil }
        return first...last
    }
}

extension Row {
    /// The integer in a column; nil when it holds anything else.
    func integer(_ index: Int) -> Int64? {
        if case .int64(let value) = (self[index] as DatabaseValue).storage { value } else { nil }
    }

    /// The bytes in a column; nil when it holds anything else.
    func bytes(_ index: Int) -> Data? {
        if case .blob(let value) = (self[index] as DatabaseValue).storage { value } else { nil }
    }

    /// The text in a column; nil when it holds anything else. Of a copied row it ends at its first zero byte.
    func text(_ index: Int) -> String? {
        guard case .string = (self[index] as DatabaseValue).storage else { return nil }
        return try? self.withUnsafeData(atIndex: index) { String(decoding: $0 ?? Data(), as: UTF8.self) }
    }
}
