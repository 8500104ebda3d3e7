// The database that a run writes at the moment.

internal import ContrailRecorder
internal import GRDB

/// A trail that is open: its connection, and the run's row in it.
final class OpenTrail: Sendable {
    let queue: DatabaseQueue
    /// The id of the run in this database.
    let runID: Int64
    /// Whether the database did not know the run.
    let isNew: Bool
    /// Runs that were found dead.
    let recovered: [RecoveredRun]
    /// The file that was opened. The path may name another one by now.
    let file: FileIdentity?

    /// Opens the file, making it if need be, and begins the run in it.
    init(path: String, run: TrailRun, lockPatience: Duration) throws {
        self.queue = try TrailDatabase.connect(path: path, lockPatience: lockPatience)
        self.file = FileIdentity(path: path)
        do {
            let beginning = try run.begin(in: self.queue)
            self.runID = beginning.id
            self.isNew = beginning.isNew
            self.recovered = beginning.recovered
        } catch {
            try? self.queue.close()
            throw error
        }
    }

    /// Whether the path does not name the file any more that was opened.
    var isReplaced: Bool { FileIdentity(path: self.queue.path) != self.file }

    /// Closes the connection. A file that was moved away is not written to by it.
    func close() { try? self.queue.close() }
}
