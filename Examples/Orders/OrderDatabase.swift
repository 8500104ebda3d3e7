// The orders' own database.

private import Foundation
internal import GRDB
private import Hummingbird

/// One order.
struct Order: Codable, Sendable, FetchableRecord, MutablePersistableRecord, ResponseEncodable {
    static let databaseTableName = "orders"

    var id: Int64?
    var item: String
    var quantity: Int
    var cents: Int
    var shipped: Bool

    mutating func didInsert(_ inserted: InsertionSuccess) {
        self.id = inserted.rowID
    }
}

/// The file with the orders, the price list and the ledger. Each request opens a connection of its own.
struct OrderDatabase: Sendable {
    /// How many lines the ledger of the report has: 18 MiB of CSV.
    private static let ledgerLines = 220_000

    let path: String

    /// Opens the file and fills a new one.
    init(path: String) throws {
        self.path = path
        let queue = try DatabaseQueue(path: path, configuration: Self.configuration)
        try queue.write(Self.migrate)
        try queue.close()
    }

    /// Marks the file as the order desk's: `ORDR` in ASCII.
    private static let applicationID: Int32 = 0x4F52_4452

    /// Refuses a path where the database cannot be, and a file that is another's. Leaves nothing behind.
    static func check(_ path: String) throws {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        guard FileManager.default.fileExists(atPath: path) else {
            let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else {
                let cause = String(cString: strerror(errno))
                throw Refusal(
                    "cannot create \(path) (\(cause)): make \(directory) a writable directory, or use another with --database"
                )
            }
            close(descriptor)
            unlink(path)
            return
        }
        let type = try? FileManager.default.attributesOfItem(atPath: path)[.type] as? FileAttributeType
        guard type == .typeRegular || type == .typeSymbolicLink else {
            throw Refusal("\(path) is not a regular file: name another with --database")
        }
        guard let file = FileHandle(forUpdatingAtPath: path), let header = try? file.read(upToCount: 100) ?? Data()
        else {
            throw Refusal("cannot open \(path) for writing: name a file with --database that may be written")
        }
        // Offset 68 of an SQLite file is its application's id, big-endian.
        let id = header.count == 100 ? header[68..<72].reduce(0) { $0 << 8 | Int32($1) } : 0
        guard header.isEmpty || id == self.applicationID else {
            throw Refusal("\(path) is not a database of the order desk: name another file with --database")
        }
    }

    /// A connection. The one who opens it closes it.
    func connect() throws -> DatabaseQueue {
        try DatabaseQueue(path: self.path, configuration: Self.configuration)
    }

    private static var configuration: GRDB.Configuration {
        var configuration = GRDB.Configuration()
        configuration.busyMode = .timeout(2)
        configuration.journalMode = .wal
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        return configuration
    }

    private static func migrate(_ database: Database) throws {
        guard try !database.tableExists("orders") else { return }
        try database.execute(
            sql: """
                PRAGMA application_id = \(self.applicationID);
                CREATE TABLE orders (
                    id INTEGER PRIMARY KEY AUTOINCREMENT, item TEXT NOT NULL, quantity INTEGER NOT NULL,
                    cents INTEGER NOT NULL, shipped INTEGER NOT NULL
                );
                CREATE TABLE price (item TEXT PRIMARY KEY, cents INTEGER NOT NULL);
                INSERT INTO price VALUES ('tea', 450), ('coffee', 620), ('cocoa', 510);
                CREATE TABLE ledger (id INTEGER PRIMARY KEY, booked_at TEXT NOT NULL, account TEXT NOT NULL, cents INTEGER NOT NULL);
                WITH RECURSIVE line (id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM line WHERE id < \(self.ledgerLines))
                INSERT INTO ledger
                SELECT id, datetime(1700000000 + id * 60, 'unixepoch'), 'account ' || printf('%040d', id % 977), id * 7 % 100000
                FROM line;
                """
        )
    }
}
