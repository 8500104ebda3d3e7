// Whatever bit of a trail is turned, and whatever batch is taken out of it: it is found, or it says nothing else.

import Foundation
import Testing
import bitflips

/// `make bitflips` turns many more.
@Suite("Turned bits")
struct BitFlipTests {
    private static let flips = ProcessInfo.processInfo.environment["CONTRAIL_BIT_FLIPS"].flatMap { Int($0) } ?? 100

    @Test("A turned bit that changes what is stored is found, with its place.", arguments: [nil, "a key of the chain"])
    func flips(key: String?) async throws {
        let seed = UInt64.random(in: 0...(1 << 48))
        print("turned bits, seed \(seed)")
        let directory = try TemporaryTrail()
        let specimen = try await Specimen(in: directory.directory, rounds: 5, key: key.map { Array($0.utf8) })
        var run = try FlipRun(specimen, seed: seed)
        for _ in 0..<Self.flips { try run.next() }
        let tally = run.tally
        #expect(tally.missed.isEmpty, "seed \(seed)")
        // It is no proof when nothing of the kind came up.
        #expect(tally.detected > 0 && tally.integrityCheck > 0, "seed \(seed): \(tally)")
    }

    @Test("The same in a trail of which retention has dropped a part, and kept what is pinned.")
    func cutTrail() async throws {
        let seed = UInt64.random(in: 0...(1 << 48))
        print("turned bits of a cut trail, seed \(seed)")
        let directory = try TemporaryTrail()
        let specimen = try await Specimen(in: directory.directory, rounds: 5, isCut: true)
        #expect(try directory.integer("SELECT count(*) FROM kept") ?? 0 > 0)
        var run = try FlipRun(specimen, seed: seed)
        for _ in 0..<Self.flips { try run.next() }
        #expect(run.tally.missed.isEmpty, "seed \(seed)")
        #expect(run.tally.detected > 0 && run.tally.integrityCheck > 0, "seed \(seed): \(run.tally)")
    }

    @Test("The same in a trail whose first run was killed, and recovered.")
    func crashedTrail() async throws {
        let seed = UInt64.random(in: 0...(1 << 48))
        print("turned bits of a crashed run's trail, seed \(seed)")
        let directory = try TemporaryTrail()
        let path: String = directory.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            try await Specimen.die(at: path, rounds: 4)
        }
        let specimen = try await Specimen(recovering: path)
        #expect(try directory.integer("SELECT count(*) FROM runs WHERE end_state = 'crashed'") == 1)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'died'") == 2)
        var run = try FlipRun(specimen, seed: seed)
        for _ in 0..<Self.flips { try run.next() }
        #expect(run.tally.missed.isEmpty, "seed \(seed)")
        #expect(run.tally.detected > 0 && run.tally.integrityCheck > 0, "seed \(seed): \(run.tally)")
    }

    @Test("Removed, exchanged and cut batches are found.")
    func batches() async throws {
        let directory = try TemporaryTrail()
        var tampering = BatchTampering(try await Specimen(in: directory.directory, rounds: 5))
        try tampering.run()
        #expect(tampering.missed.isEmpty)
        #expect(tampering.removed >= 9 && tampering.reordered >= 6 && tampering.truncated >= 6)
    }
}
