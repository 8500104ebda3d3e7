// The trail: one database file, and the recorder whose events it keeps.

public import ContrailRecorder
internal import GRDB
public import Logging
private import Synchronization

/// A trail that is being written: a database file and the run that this process adds to it.
///
/// ```swift
/// let trail = try TrailStore(path: "var/contrail.sqlite", app: "orders")
/// let app = App("orders", recorder: trail.recorder)
/// …
/// trail.close()
/// ```
///
/// Opening it marks runs whose process is gone as crashed and their open contexts as died. Several processes may write one
/// trail. A failing database never reaches those who record: the drain tries again, and what does not fit in the buffer
/// meanwhile is dropped with a count. May be used from any thread.
public final class TrailStore: Sendable {
    /// How a trail is written.
    public struct Configuration: Sendable {
        /// How the recorder works.
        public var recorder: FlightRecorder.Configuration
        /// How long events wait for a commit at the most, while the database works.
        public var commitInterval: Duration
        /// The version of the service, as `runs` shows it.
        public var version: String
        /// Where the drain says that it cannot write, and that it can again.
        public var logger: Logger

        /// Makes a configuration.
        public init(
            recorder: FlightRecorder.Configuration = FlightRecorder.Configuration(),
            commitInterval: Duration = .milliseconds(25),
            version: String = "",
            logger: Logger = Logger(label: "contrail.trail")
        ) {
            self.recorder = recorder
            self.commitInterval = commitInterval
            self.version = version
            self.logger = logger
        }
    }

    /// The database file.
    public let path: String
    /// What the app records with.
    public let recorder: FlightRecorder
    /// The id of the run in this database.
    public let runID: Int64
    /// The id of the run anywhere.
    public let runUUID: String

    private let queue: DatabaseQueue
    private let drain: TrailDrain
    private let isClosed = Atomic<Bool>(false)

    /// Opens the trail and begins a run.
    ///
    /// Creates the file, but not its directory. Throws ``StoreError`` with `inaccessible`, `notADatabase`, `notATrail`,
    /// `newerSchema`, `locked` or `databaseFailure`; a file that is not a trail of this version is not changed by it.
    ///
    /// - Parameters:
    ///   - path: The database file. `PATH-wal`, `PATH-shm` and `PATH-run-UUID` appear beside it.
    ///   - app: The name of the app, as `runs` shows it.
    ///   - configuration: How the trail is written.
    public init(path: String, app: String, configuration: Configuration = Configuration()) throws(StoreError) {
        self.path = path
        self.queue = try TrailDatabase.open(path: path)
        let run = try TrailRun(self.queue, app: app, version: configuration.version)
        self.runID = run.id
        self.runUUID = run.uuid
        self.recorder = FlightRecorder(configuration: configuration.recorder)
        self.drain = TrailDrain(
            recorder: self.recorder,
            queue: self.queue,
            run: run,
            interval: configuration.commitInterval,
            logger: configuration.logger
        )
        self.recorder.recordRunStart()
        self.drain.start()
    }

    deinit {
        self.close()
    }

    /// Waits until everything that was recorded before the call is committed.
    public func flush() async {
        await self.drain.flush()
    }

    /// Commits what is left, ends the run in order and closes the database. Blocks for a moment; two seconds at the most
    /// when the database refuses. Calling it again does nothing.
    public func close() {
        guard !self.isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        self.drain.stop()
        // Readers may keep the log from being removed; then at least everything is in the main file, and the log is empty.
        // Neither is needed for the trail to be whole, so a failure is no news, and no reader is waited for.
        try? self.queue.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA busy_timeout = 100")
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
        try? self.queue.close()
    }
}
