// bitflips: turns single bits of a trail, and counts which of them are found.

internal import ArgumentParser
internal import Foundation

/// Writes a trail, turns one bit of its file at a time, and holds `contrail verify` against what the file then says. Prints one
/// line of figures; the exit status is 1 when a change was not found.
@main
struct Bitflips: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turns single bits of a trail, and counts which are found.",
        subcommands: [DyingRun.self]
    )

    @Option(help: "How many bits are turned.")
    var flips = 1000

    @Option(help: "What the places of the bits come from.")
    var seed: UInt64?

    @Option(help: "How many rounds of contexts the trail holds.")
    var rounds = 12

    @Option(help: "The key of the chain.")
    var key: String?

    @Flag(name: .customLong("cut"), help: "Take a trail of which retention has dropped the first run.")
    var isCut = false

    @Flag(name: .customLong("crashed"), help: "Take a trail whose first run was killed, and recovered.")
    var isCrashed = false

    /// The largest trail that is looked at.
    private static let limit = 512 * 1024
    /// How many misses end the run.
    private static let enough = 20

    func validate() throws {
        guard self.flips > 0, self.rounds > 0 else { throw ValidationError("flips and rounds from 1") }
        guard !self.isCut || !self.isCrashed else { throw ValidationError("either --cut or --crashed") }
    }

    func run() async throws {
        let seed = self.seed ?? UInt64.random(in: 0...(1 << 48))
        let place = FileManager.default.temporaryDirectory.appendingPathComponent("bitflips-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        FileHandle.standardError.write(Data("bitflips in \(place), seed \(seed)\n".utf8))
        let key = self.key.map { Array($0.utf8) }
        let specimen: Specimen
        if self.isCrashed {
            let path = "\(place)/contrail.sqlite"
            try DyingRun.run(path, rounds: self.rounds, key: self.key)
            specimen = try await Specimen(recovering: path, key: key)
        } else {
            specimen = try await Specimen(in: place, rounds: self.rounds, key: key, isCut: self.isCut)
        }
        var run = try FlipRun(specimen, seed: seed)
        guard run.size <= Self.limit else { throw ValidationError("the trail has \(run.size) bytes: use fewer rounds") }
        var flips = 0
        while flips < self.flips, run.tally.missed.count < Self.enough {
            try run.next()
            flips += 1
        }
        var tampering = BatchTampering(specimen)
        if !self.isCut { try tampering.run() }
        let tally = run.tally
        let missed = tally.missed + tampering.missed
        print(
            "{\"seed\":\(seed),\"bytes\":\(run.size),\"flips\":\(flips),\"detected\":\(tally.detected),"
                + "\"integrity_check\":\(tally.integrityCheck),\"no_effect\":\(tally.noEffect),"
                + "\"books\":\(tally.books),\"batches_removed\":\(tampering.removed),"
                + "\"batches_exchanged\":\(tampering.reordered),\"trails_cut\":\(tampering.truncated),"
                + "\"missed\":\(missed.count)}"
        )
        for text in missed { FileHandle.standardError.write(Data("missed: \(text)\n".utf8)) }
        guard missed.isEmpty else { throw ExitCode(1) }
    }
}
