// Random choices that can be made again.

private import Foundation

/// SplitMix64. The seed is printed; `CONTRAIL_TEST_SEED` sets it.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// Begins with a seed from the environment, or a new one.
    package init(for test: String) {
        let given = ProcessInfo.processInfo.environment["CONTRAIL_TEST_SEED"].flatMap { UInt64($0) }
        self.state = given ?? UInt64.random(in: 0...UInt64(UInt32.max))
        print("\(test): CONTRAIL_TEST_SEED=\(self.state)")
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var value = self.state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
