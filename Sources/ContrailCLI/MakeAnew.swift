// contrail reindex: contexts and problems, made anew from the events.

internal import ArgumentParser
private import ContrailStore

/// Rebuilds the projections.
struct MakeAnew: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Makes contexts and problems anew from the events.",
        discussion: "For when contrail verify says projection_differs. Writers wait meanwhile."
    )

    @OptionGroup var trail: TrailOption

    func run() throws {
        try Reindex.run(self.trail.path)
    }
}
