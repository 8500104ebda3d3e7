// A directory that goes with the test.

import Foundation

/// A directory of its own for one test.
package final class TemporaryDirectory: Sendable {
    /// The directory.
    package let path: String

    /// Makes the directory.
    package init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("contrail-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// The path of a file in it.
    package func file(_ name: String) -> String { "\(self.path)/\(name)" }
}
