// What the field reports share: an app with a trail in a file, the problems that SQL finds there, and pool threads.

import Contrail
import ContrailStore
import Dispatch
import GRDB
import HTTPTypes
import NIOCore
import NIOPosix
import ServiceTestSupport
import Synchronization
import Testing

/// An app that records into a file of its own.
final class Service: Sendable {
    let app: App

    private let directory: TemporaryDirectory
    private let trail: TrailStore

    init(_ name: String = "shop") throws {
        self.directory = try TemporaryDirectory()
        self.trail = try TrailStore(path: self.directory.file("contrail.sqlite"), app: name)
        self.app = App(name, recorder: self.trail.recorder)
    }

    deinit {
        self.trail.close()
    }

    /// Asks the file, with an ordinary connection, once everything recorded before is in it.
    func rows(_ sql: String) async throws -> [Row] {
        await self.trail.flush()
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        let queue = try DatabaseQueue(path: self.trail.path, configuration: configuration)
        defer { try? queue.close() }
        return try Self.read(sql, from: queue)
    }

    /// Not async: in an async function the database offers its async form alone, which wants rows to be sendable.
    private static func read(_ sql: String, from queue: DatabaseQueue) throws -> [Row] {
        try queue.read { try Row.fetchAll($0, sql: sql) }
    }

    /// The problems of a kind, oldest first.
    func problems(_ kind: String) async throws -> [Problem] {
        try await self.rows(Problem.query).map(Problem.init).filter { $0.kind == kind }
    }

    /// All problems that SQL counts.
    func problemCount() async throws -> Int {
        let rows = try await self.rows("SELECT count(*) FROM problems")
        return try #require(rows.first)[0]
    }

    /// The request context that was pushed for a path.
    func request(_ path: String) async throws -> Lifetime {
        let rows = try await self.rows(
            "SELECT context_id, worker, outcome, parent_id FROM contexts WHERE kind = 'request' AND path = '\(path)'"
        )
        return Lifetime(try #require(rows.first))
    }

    /// The app contexts, oldest first.
    func appContexts() async throws -> [Lifetime] {
        try await self.rows(
            "SELECT context_id, worker, outcome, parent_id FROM contexts WHERE kind = 'app' ORDER BY context_id"
        )
        .map(Lifetime.init)
    }
}

/// A row of `contexts`, as far as the reports look at it.
struct Lifetime: Equatable {
    let id: Int64
    let worker: String?
    let outcome: String
    let parent: Int64?

    init(_ row: Row) {
        self.id = row[0]
        self.worker = row[1]
        self.outcome = row[2]
        self.parent = row[3]
    }
}

/// A row of `problems`: who owns what was touched, and who touched it.
struct Problem {
    static let query = """
        SELECT kind, context_id, other_context_id, reader, owner, site, owner_site, age_ns, message FROM problems ORDER BY id
        """

    let kind: String
    let context: Int64?
    let otherContext: Int64?
    let reader: String?
    let owner: String?
    let site: String?
    let ownerSite: String?
    let age: Int64?
    let message: String

    init(_ row: Row) {
        self.kind = row[0]
        self.context = row[1]
        self.otherContext = row[2]
        self.reader = row[3]
        self.owner = row[4]
        self.site = row[5]
        self.ownerSite = row[6]
        self.age = row[7]
        self.message = row[8]
    }
}

/// A pool with one thread: what runs there runs after what ran there before, on the same thread.
func withPoolThread(_ body: (NIOThreadPool) async throws -> Void) async throws {
    let pool = NIOThreadPool(numberOfThreads: 1)
    pool.start()
    do {
        try await body(pool)
    } catch {
        try await pool.shutdownGracefully()
        throw error
    }
    try await pool.shutdownGracefully()
}

/// A place in one of these files, as the trail writes it.
func place(_ line: Int, fileID: String = #fileID) -> String { "\(fileID):\(line)" }

func get(_ path: String) -> HTTPRequest {
    HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
}

/// Opens once; threads that wait go on then. A task must not wait here.
final class ThreadGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { self.semaphore.signal() }

    func wait() {
        self.semaphore.wait()
        self.semaphore.signal()
    }
}

/// Lines in the order in which they were written.
final class Log: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { self.state.withLock { $0 } }

    func add(_ line: String) { self.state.withLock { $0.append(line) } }
}

/// The code of the error that the closure throws; nil when it throws none.
func code(_ body: () throws -> Void) -> ContextError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ContextError)?.code
    }
}
