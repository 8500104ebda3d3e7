// How much the tests of this target do: little by default, as much as the environment says under `make stress`.

import Foundation

enum Size {
    /// A number from the environment, or a default.
    static func of(_ name: String, otherwise fallback: Int) -> Int {
        ProcessInfo.processInfo.environment[name].flatMap(Int.init) ?? fallback
    }

    /// A seed from the environment, or a random one.
    static func seed(of name: String) -> UInt64 {
        ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000_000)
    }
}
