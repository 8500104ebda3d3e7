// Rows in memory as a table that SQLite reads: one statement inserts a batch, where one per row would cost half as much again.

private import Foundation
internal import GRDB
private import GRDBSQLite

/// Rows that are to be inserted, for one connection: filled by ``append(_:)``, inserted by `INSERT … SELECT * FROM` its name,
/// emptied by ``removeAll()``.
///
/// It is an eponymous virtual table. SQLite keeps its cursors in the target's trees from row to row that way, and asks for
/// each value where it lies. Confined to the connection's writes.
final class RowFeed {
    /// The name of the table.
    let name: String

    fileprivate let storage: UnsafeMutablePointer<RowFeedStorage>
    private let module: UnsafeMutablePointer<sqlite3_module>

    /// Makes a feed with so many columns, and makes it known to the connection.
    init(_ database: Database, width: Int) throws {
        self.storage = .allocate(capacity: 1)
        self.storage.initialize(to: RowFeedStorage(width: width))
        self.module = .allocate(capacity: 1)
        self.module.initialize(to: RowFeedCalls.module)
        // The same connection may have several: a statement that was compiled for one must not find another.
        self.name = "contrail_feed_\(String(UInt(bitPattern: self.storage), radix: 16))"
        let code = sqlite3_create_module_v2(
            database.sqliteConnection,
            self.name,
            self.module,
            Unmanaged.passRetained(self).toOpaque(),
            { Unmanaged<RowFeed>.fromOpaque($0.unsafelyUnwrapped).release() }
        )
        guard code == SQLITE_OK else { throw DatabaseError(resultCode: ResultCode(rawValue: code)) }
    }

    deinit {
        self.storage.pointee.deallocate()
        self.storage.deallocate()
        self.module.deallocate()
    }

    /// How many rows there are.
    var count: Int { self.storage.pointee.cellCount / self.storage.pointee.width }

    /// The cells of the row that was appended last.
    var lastRow: UnsafeBufferPointer<RowFeedCell> {
        let storage = self.storage.pointee
        return UnsafeBufferPointer(
            start: storage.cells + (storage.cellCount - storage.width),
            count: storage.cellCount == 0 ? 0 : storage.width
        )
    }

    /// The bytes of a text cell. Valid until the next row.
    func bytes(of cell: RowFeedCell) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.storage.pointee.bytes + Int(cell.value), count: Int(cell.length))
    }

    /// Forgets the rows.
    func removeAll() {
        self.storage.pointee.cellCount = 0
        self.storage.pointee.byteCount = 0
    }

    /// Adds the next cell of a row. A row is complete when it has as many cells as the feed has columns.
    @inline(__always)
    func append(_ value: Int64?) {
        if let value {
            self.storage.pointee.append(RowFeedCell(value: value, length: 0, type: .integer))
        } else {
            self.storage.pointee.append(RowFeedCell(value: 0, length: 0, type: .null))
        }
    }

    /// Adds the next cell of a row.
    func append(_ text: String?) {
        guard var text else { return self.append(Int64?.none) }
        text.withUTF8 { self.append(text: UnsafeRawBufferPointer($0)) }
    }

    /// Adds the next cell of a row: text whose UTF-8 is at hand.
    func append(text: UnsafeRawBufferPointer) {
        let offset = self.storage.pointee.append(text)
        self.storage.pointee.append(RowFeedCell(value: Int64(offset), length: Int32(text.count), type: .text))
    }
}

/// One value of one row.
struct RowFeedCell {
    enum Kind: UInt8 {
        case null
        case integer
        case text
    }

    /// The integer, or where the text begins among the feed's bytes.
    let value: Int64
    /// How long the text is.
    let length: Int32
    let type: Kind
}

/// Where the rows lie. Plain memory, so that SQLite's calls read it without counting references.
private struct RowFeedStorage {
    let width: Int
    var cells: UnsafeMutablePointer<RowFeedCell>
    var cellCount = 0
    var cellCapacity: Int
    var bytes: UnsafeMutableRawPointer
    var byteCount = 0
    var byteCapacity: Int

    init(width: Int) {
        self.width = width
        self.cellCapacity = width * 1024
        self.cells = .allocate(capacity: self.cellCapacity)
        self.byteCapacity = 1 << 16
        self.bytes = .allocate(byteCount: self.byteCapacity, alignment: 16)
    }

    func deallocate() {
        self.cells.deallocate()
        self.bytes.deallocate()
    }

    @inline(__always)
    mutating func append(_ cell: RowFeedCell) {
        if self.cellCount == self.cellCapacity { self.growCells() }
        (self.cells + self.cellCount).initialize(to: cell)
        self.cellCount += 1
    }

    mutating func append(_ text: UnsafeRawBufferPointer) -> Int {
        let offset = self.byteCount
        if offset + text.count > self.byteCapacity { self.growBytes(by: text.count) }
        if let start = text.baseAddress { (self.bytes + offset).copyMemory(from: start, byteCount: text.count) }
        self.byteCount += text.count
        return offset
    }

    private mutating func growCells() {
        let larger = UnsafeMutablePointer<RowFeedCell>.allocate(capacity: self.cellCapacity * 2)
        larger.moveInitialize(from: self.cells, count: self.cellCount)
        self.cells.deallocate()
        self.cells = larger
        self.cellCapacity *= 2
    }

    private mutating func growBytes(by count: Int) {
        let capacity = max(self.byteCapacity * 2, self.byteCount + count)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        larger.copyMemory(from: self.bytes, byteCount: self.byteCount)
        self.bytes.deallocate()
        self.bytes = larger
        self.byteCapacity = capacity
    }
}

/// What SQLite calls. The first member of both structures is SQLite's own, which is why a pointer to one is one to the other.
private enum RowFeedCalls {
    struct Table {
        var base = sqlite3_vtab()
        let storage: UnsafeMutablePointer<RowFeedStorage>
    }

    struct Cursor {
        var base = sqlite3_vtab_cursor()
        let storage: UnsafeMutablePointer<RowFeedStorage>
        var row: UnsafeMutablePointer<RowFeedCell>
        var end: UnsafeMutablePointer<RowFeedCell>
        let width: Int
    }

    static var module: sqlite3_module {
        var module = sqlite3_module()
        module.xConnect = { database, context, _, _, table, _ in
            guard let context, let table else { return SQLITE_MISUSE }
            let storage = Unmanaged<RowFeed>.fromOpaque(context).takeUnretainedValue().storage
            let columns = (0..<storage.pointee.width).map { "c\($0)" }.joined(separator: ", ")
            let code = sqlite3_declare_vtab(database, "CREATE TABLE feed (\(columns))")
            guard code == SQLITE_OK else { return code }
            let made = UnsafeMutablePointer<Table>.allocate(capacity: 1)
            made.initialize(to: Table(storage: storage))
            table.pointee = UnsafeMutableRawPointer(made).assumingMemoryBound(to: sqlite3_vtab.self)
            return SQLITE_OK
        }
        module.xDisconnect = { table in
            UnsafeMutableRawPointer(table)?.assumingMemoryBound(to: Table.self).deallocate()
            return SQLITE_OK
        }
        module.xBestIndex = { _, plan in
            plan?.pointee.estimatedCost = 1
            return SQLITE_OK
        }
        module.xOpen = { table, cursor in
            guard let table, let cursor else { return SQLITE_MISUSE }
            let storage = UnsafeMutableRawPointer(table).assumingMemoryBound(to: Table.self).pointee.storage
            let made = UnsafeMutablePointer<Cursor>.allocate(capacity: 1)
            let cells = storage.pointee.cells
            made.initialize(to: Cursor(storage: storage, row: cells, end: cells, width: storage.pointee.width))
            cursor.pointee = UnsafeMutableRawPointer(made).assumingMemoryBound(to: sqlite3_vtab_cursor.self)
            return SQLITE_OK
        }
        module.xClose = { cursor in
            UnsafeMutableRawPointer(cursor)?.assumingMemoryBound(to: Cursor.self).deallocate()
            return SQLITE_OK
        }
        module.xFilter = { cursor, _, _, _, _ in
            guard let cursor = RowFeedCalls.cursor(cursor) else { return SQLITE_MISUSE }
            cursor.pointee.row = cursor.pointee.storage.pointee.cells
            cursor.pointee.end = cursor.pointee.row + cursor.pointee.storage.pointee.cellCount
            return SQLITE_OK
        }
        module.xNext = { cursor in
            guard let cursor = RowFeedCalls.cursor(cursor) else { return SQLITE_MISUSE }
            cursor.pointee.row += cursor.pointee.width
            return SQLITE_OK
        }
        module.xEof = { cursor in
            guard let cursor = RowFeedCalls.cursor(cursor) else { return 1 }
            return cursor.pointee.row >= cursor.pointee.end ? 1 : 0
        }
        module.xColumn = { cursor, context, index in
            guard let cursor = RowFeedCalls.cursor(cursor) else { return SQLITE_MISUSE }
            let cell = cursor.pointee.row[Int(index)]
            switch cell.type {
            case .integer: sqlite3_result_int64(context, cell.value)
            case .text:
                // Static: the bytes stay where they are until the statement has run.
                let start = cursor.pointee.storage.pointee.bytes + Int(cell.value)
                sqlite3_result_text(context, start.assumingMemoryBound(to: CChar.self), cell.length, nil)
            case .null: break
            }
            return SQLITE_OK
        }
        module.xRowid = { cursor, rowid in
            guard let cursor = RowFeedCalls.cursor(cursor), let rowid else { return SQLITE_MISUSE }
            rowid.pointee = Int64((cursor.pointee.row - cursor.pointee.storage.pointee.cells) / cursor.pointee.width)
            return SQLITE_OK
        }
        return module
    }

    @inline(__always)
    private static func cursor(_ cursor: UnsafeMutablePointer<sqlite3_vtab_cursor>?) -> UnsafeMutablePointer<Cursor>? {
        UnsafeMutableRawPointer(cursor)?.assumingMemoryBound(to: Cursor.self)
    }
}
