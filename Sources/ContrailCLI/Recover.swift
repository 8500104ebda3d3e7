// contrail recover: what dead processes left in their rings, moved into the trail.

internal import ArgumentParser
private import ContrailStore

/// Moves what dead runs left in their rings into the database.
struct Recover: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Saves what killed processes had recorded, and marks their runs as crashed.",
        discussion: "The next start of the service does the same. Runs that are alive are left alone."
    )

    @OptionGroup var trail: TrailOption

    func run() throws {
        try self.trail.check()
        let runs = try TrailStore.recover(path: self.trail.path)
        if runs.isEmpty { print("nothing to recover") }
        for run in runs {
            let own = run.unwritten > 0 ? ", \(run.unwritten) of the recorder's own not stored" : ""
            let found = run.failure ?? "\(run.events) events, \(run.torn) torn, \(run.dropped) dropped\(own)"
            print("run \(run.runID) \(run.runUUID): \(found); \(run.died) contexts died")
        }
    }
}
