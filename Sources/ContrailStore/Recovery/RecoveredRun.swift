// What was saved of a run whose process is gone.

internal import Logging

/// A run that was found dead, and what became of it.
public struct RecoveredRun: Sendable, Equatable {
    /// The id of the run in this database.
    public let runID: Int64
    /// The id of the run anywhere.
    public let runUUID: String
    /// How many events its ring still held that were not in the database.
    public internal(set) var events = 0
    /// How many records of the ring were begun and never finished.
    public internal(set) var torn = 0
    /// How many events the full ring had refused without a `drop` event saying so.
    public internal(set) var dropped: UInt64 = 0
    /// How many numbers its drain had given to events of its own and not committed; a `drop` event says so. 0 where the ring had refused
    /// events, or retention has removed some: then it cannot be told from them.
    public internal(set) var unwritten: UInt64 = 0
    /// How many of its contexts were open, and count as `died` now.
    public internal(set) var died = 0
    /// Why the ring could not be read; nil when it could, or when there was none.
    public internal(set) var failure: String?

    init(runID: Int64, runUUID: String) {
        self.runID = runID
        self.runUUID = runUUID
    }

    static func report(_ runs: [RecoveredRun], to logger: Logger) {
        for run in runs {
            if let failure = run.failure {
                logger.error("the run \(run.runUUID) crashed and its ring cannot be read: \(failure)")
            } else {
                logger.notice(
                    "the run \(run.runUUID) crashed: \(run.events) events came from its ring, \(run.died) contexts died"
                )
            }
        }
    }
}
