// torture: kills a process that records, again and again, and holds what is left against what was promised.

internal import ArgumentParser
internal import ContrailStore
internal import Foundation
internal import Synchronization

/// Starts a child that records, kills it in one of its phases, recovers its trail, and looks at it. Prints one line of figures;
/// the exit status is 1 when a promise was broken.
@main
struct Torture: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Kills a process that records, again and again, and looks at its trail.",
        subcommands: [Child.self]
    )

    @Option(help: "How many kills.")
    var kills = 200

    @Option(help: "What the order of the phases and the moments of the kills come from.")
    var seed: UInt64?

    @Option(help: "How many threads record.")
    var threads = 2

    @Option(help: "How many slots the ring has.")
    var slots = 4096

    @Option(help: "The cap of the trail, in bytes.")
    var cap = 6 << 20

    @Option(help: "Where the trail is put; a directory of its own that is removed, if nothing was broken.")
    var directory: String?

    static let key = "value"
    static let erasedKey = "customer"
    static let erasedValue = "ann-4711"
    /// How many breaches end the run.
    private static let enough = 10

    func validate() throws {
        guard self.kills > 0, (1...SharedBoard.mostThreads).contains(self.threads),
            (64...(1 << 20)).contains(self.slots)
        else {
            throw ValidationError("kills from 1, threads from 1 to \(SharedBoard.mostThreads), slots from 64 to 2²⁰")
        }
    }

    func run() throws {
        let seed = self.seed ?? UInt64.random(in: 0...(1 << 48))
        let place = try self.directory ?? Self.temporaryDirectory()
        try FileManager.default.createDirectory(atPath: "\(place)/rings", withIntermediateDirectories: true)
        FileHandle.standardError.write(Data("torture in \(place), seed \(seed)\n".utf8))
        var rounds = Rounds(self, place, seed: seed)
        while rounds.kills < self.kills, rounds.broken.count < Self.enough { try rounds.next() }
        print(rounds.line)
        for text in rounds.broken { FileHandle.standardError.write(Data("broken: \(text)\n".utf8)) }
        guard rounds.broken.isEmpty else { throw ExitCode(1) }
        if self.directory == nil { try? FileManager.default.removeItem(atPath: place) }
    }

    private static func temporaryDirectory() throws -> String {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("torture-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
