// Random choices that can be made again.

private import Foundation
private import TestSupport

/// A generator with a seed that is printed; `CONTRAIL_TEST_SEED` sets it.
package struct SeededGenerator: RandomNumberGenerator {
    private var random: SeededRandom

    /// Begins with a seed from the environment, or a new one.
    package init(for test: String) {
        let given = ProcessInfo.processInfo.environment["CONTRAIL_TEST_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
        self.random = SeededRandom(seed: seed)
        print("\(test): CONTRAIL_TEST_SEED=\(seed)")
    }

    package mutating func next() -> UInt64 { self.random.next() }
}
