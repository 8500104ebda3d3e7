// The process that writes a trail and does not survive it.

internal import ArgumentParser
internal import Foundation

/// Writes a trail and is killed; the tool calls it as a process of its own.
struct DyingRun: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "dying-run", shouldDisplay: false)

    // No options: the tool itself would take those that have the same names.
    @Argument var path: String
    @Argument var rounds: Int
    @Argument var key: String?

    func run() async throws {
        try await Specimen.die(at: self.path, rounds: self.rounds, key: self.key.map { Array($0.utf8) })
    }

    /// Starts it, and waits for its death.
    static func run(_ path: String, rounds: Int, key: String?) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["dying-run", "--", path, "\(rounds)"] + (key.map { [$0] } ?? [])
        try process.run()
        process.waitUntilExit()
        guard process.terminationReason == .uncaughtSignal, process.terminationStatus == SIGKILL else {
            throw ValidationError("the process was to be killed, and ended with \(process.terminationStatus)")
        }
    }
}
