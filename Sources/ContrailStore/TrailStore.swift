// The trail: one database file, and the recorder whose events it keeps.

public import ContrailRecorder
internal import GRDB
public import Logging
private import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A trail that is being written: a database file and the run that this process adds to it.
///
/// ```swift
/// let trail = try TrailStore(path: "var/contrail.sqlite", app: "orders")
/// let app = App("orders", recorder: trail.recorder)
/// …
/// trail.close()
/// ```
///
/// Opening it moves what runs whose process is gone left in their rings into the database, and marks them as crashed and their
/// open contexts as died. Several processes may write one
/// trail. A failing database never reaches those who record: the drain tries again, and what does not fit in the buffer
/// meanwhile is dropped with a count. May be used from any thread.
public final class TrailStore: Sendable {
    /// How a trail is written.
    public struct Configuration: Sendable {
        /// How the recorder works.
        public var recorder: FlightRecorder.Configuration
        /// Where the ring is put, a file of the recorder's capacity that a killed process leaves behind; nil for the service's
        /// runtime directory, else shared memory, else the directory of the database.
        public var ringDirectory: String?
        /// What a commit survives, and how often there is one.
        public var durability: Durability
        /// The version of the service, as `runs` shows it.
        public var version: String
        /// Whether and how what is stored can be held against what was written, by `contrail verify`.
        public var integrity: Integrity
        /// How much of the trail is kept.
        public var retention: Retention
        /// Where the drain says that it cannot write, and that it can again.
        public var logger: Logger
        /// What is waited for, and how long.
        package var patience = Patience()
        /// The wall clock, in UTC microseconds since 1970.
        package var wallClock: @Sendable () -> Int64 = RunClock.wallMicroseconds

        /// Makes a configuration.
        public init(
            recorder: FlightRecorder.Configuration = FlightRecorder.Configuration(),
            ringDirectory: String? = nil,
            durability: Durability = .group,
            version: String = "",
            integrity: Integrity = .chained,
            retention: Retention = Retention(),
            logger: Logger = Logger(label: "contrail.trail")
        ) {
            self.recorder = recorder
            self.ringDirectory = ringDirectory
            self.durability = durability
            self.version = version
            self.integrity = integrity
            self.retention = retention
            self.logger = logger
        }
    }

    /// The database file.
    public let path: String
    /// What the app records with.
    public let recorder: FlightRecorder
    /// The id of the run in the database that is written now; 0 while it could not be opened yet. It is another one after a
    /// damaged database was set aside.
    public var runID: Int64 { self.drain.trail?.runID ?? 0 }
    /// The id of the run anywhere.
    public let runUUID: String
    /// Runs that were found dead when the trail was opened, and what was saved of them.
    public var recovered: [RecoveredRun] { self.drain.recovered }
    /// The file of the ring; nil when no place was found for one, and the ring is memory of the process alone.
    public let ringPath: String?

    let drain: TrailDrain
    private let isClosed = Atomic<Bool>(false)
    /// A child that the process forks has this object, and neither its thread nor its locks.
    private let processID = getpid()

    /// Opens the trail and begins a run.
    ///
    /// Creates the file, but not its directory. What somebody has to do something about is thrown: ``StoreError`` with
    /// `inaccessible`, `notADatabase`, `notATrail`, `newerSchema` or `databaseFailure`; a file that is not a trail of this version
    /// is not changed by it. What may pass is no error: when the disk is full or another process has the lock, the ring takes what
    /// is recorded and the drain opens the trail later; ``status`` says so. A trail that is damaged is set aside under a new name,
    /// and a new one is begun.
    ///
    /// - Parameters:
    ///   - path: The database file. `PATH-wal`, `PATH-shm`, `PATH-run-UUID` and `PATH-head` appear beside it, and
    ///     `PATH-damaged-TIME` if it is ever damaged.
    ///   - app: The name of the app, as `runs` shows it.
    ///   - configuration: How the trail is written.
    public init(path: String, app: String, configuration: Configuration = Configuration()) throws(StoreError) {
        self.path = path
        let (run, start) = try FileSizeSignal.blocked { () throws(StoreError) in
            let run = TrailRun(path: path, app: app, configuration: configuration)
            return (run, try TrailStart(path: path, run: run, configuration: configuration))
        }
        self.runUUID = run.uuid
        self.ringPath = run.ring.path
        self.recorder = FlightRecorder(configuration: configuration.recorder, memory: run.ring)
        RecoveredRun.report(start.trail?.recovered ?? [], to: configuration.logger)
        self.drain = TrailDrain(
            path: path,
            start: start,
            run: run,
            recorder: self.recorder,
            configuration: configuration
        )
        self.recorder.recordRunStart()
        self.drain.start()
    }

    deinit {
        self.close()
    }

    /// Does for a trail that nobody writes what opening it does first: moves what dead runs left in their rings into the
    /// database, marks them as crashed and their open contexts as died. Runs that are alive are left alone; doing it again finds
    /// nothing. Throws ``StoreError`` as ``init(path:app:configuration:)`` does.
    public static func recover(
        path: String,
        integrity: Integrity = .chained
    ) throws(StoreError) -> [RecoveredRun] {
        let queue = try TrailDatabase.open(path: path)
        defer { try? queue.close() }
        do {
            return try StorePhase.during(.recovery) {
                let dead = try queue.inTransaction(returning: DeadRuns.self) {
                    try DeadRuns($0, path: path, integrity: integrity)
                }
                dead.removeFiles()
                return dead.recovered
            }
        } catch {
            throw StoreError(error, path: path)
        }
    }

    /// Waits until everything that was recorded before the call is committed.
    public func flush() async {
        await self.drain.flush()
    }

    /// Commits what is left, ends the run in order and closes the database. Blocks for a moment; two seconds at the most
    /// when the database refuses. Calling it again does nothing.
    public func close() {
        guard self.processID == getpid(), !self.isClosed.exchange(true, ordering: .acquiringAndReleasing) else {
            return
        }
        self.drain.stop()
        guard let queue = self.drain.trail?.queue else { return }
        // Readers may keep the log from being removed; then at least everything is in the main file, and the log is empty.
        // Neither is needed for the trail to be whole, so a failure is no news, and no reader is waited for.
        FileSizeSignal.blocked {
            try? queue.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 100")
                try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
            try? queue.close()
        }
    }
}
