// Inputs that a fuzzer found worth keeping: rings to recover, and stored values of all types in all places.

import Foundation
import Testing
import TrailFuzzing

/// `make fuzz` looks for more.
@Suite("Trails from the fuzzer")
struct TrailCorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Corpus")

    @Test("Every input of the corpus is recovered, or read, or refused with an error.")
    func corpus() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
        let body = TrailBody()
        let outcomes = try files.map { file in try Data(contentsOf: file).withUnsafeBytes { body.run($0) } }
        #expect(files.count > 20)
        #expect(Set(outcomes).count > 5)
    }
}
