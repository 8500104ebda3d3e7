// Random programs over four workers: the real contexts do what the model says, step by step.

import Foundation
import Testing

@Suite("Model")
struct ModelTests {
    /// How many programs: 1,500, or what the environment says.
    private static let count = Size.of("CONTRAIL_MODEL_PROGRAMS", otherwise: 1_500)
    /// More than cores: a runner mostly waits for a thread to wake up.
    private static let runners = 4

    @Test("Random programs over four workers do what the model says.", .timeLimit(.minutes(60)))
    func programs() async throws {
        let seed = Size.seed(of: "CONTRAIL_MODEL_SEED")
        print("model programs: \(Self.count) from seed \(seed)")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for runner in 0..<Self.runners {
                group.addTask { try await Self.run(from: seed, runner, of: Self.runners) }
            }
            try await group.waitForAll()
        }
    }

    /// Runs every fourth program on a thread of its own: it waits for others, which a task must not.
    private static func run(from seed: UInt64, _ runner: Int, of runners: Int) async throws {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Self.compare(from: seed, runner, of: runners) })
            }
        }
    }

    private static func compare(from seed: UInt64, _ runner: Int, of runners: Int) throws {
        for number in stride(from: runner, to: Self.count, by: runners) {
            let seed = seed &+ UInt64(number)
            let program = Program(seed: seed)
            guard try program.difference() != nil else { continue }
            return try Self.report(program, seed)
        }
    }

    private static func report(_ program: Program, _ seed: UInt64) throws {
        guard let (program, difference) = try program.shrunk() else {
            Issue.record("seed \(seed): differed once, and not again")
            return
        }
        let steps = program.steps.map { "\($0)" }.joined(separator: "\n")
        print("seed \(seed)\n\(program.setup)\n\(steps)\n\(difference)")
        Issue.record("seed \(seed)\n\(program.setup)\n\(steps)\n\(difference)")
    }
}
