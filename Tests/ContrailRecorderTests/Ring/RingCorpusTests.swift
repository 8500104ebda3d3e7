// Inputs that a fuzzer found worth keeping: rings that are damaged in as many ways as there are branches in the reader.

import Foundation
import RingFuzzing
import Testing

/// `make fuzz` looks for more.
@Suite("Rings from the fuzzer")
struct RingCorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Corpus")

    @Test("Every ring of the corpus is read to its end, and they hold events and torn records.")
    func corpus() throws {
        let files = try FileManager.default.contentsOfDirectory(at: Self.folder, includingPropertiesForKeys: nil)
        let body = RingBody()
        var (events, torn, refused) = (0, 0, 0)
        for file in files {
            let input = try Data(contentsOf: file)
            let found = input.withUnsafeBytes { body.run($0) }
            events += found.events
            torn += found.torn
            if found == (0, 0) { refused += 1 }
        }
        #expect(files.count > 20)
        #expect(events > 100 && torn > 10 && refused > 0)
    }

    @Test("A ring that claims more positions than it has slots gives no more records than it can hold.")
    func claimed() {
        // Positions up to 2²⁴ - 1, none of which was begun.
        var input: [UInt8] = [1, 0]
        input += [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 64]
        let found = input.withUnsafeBytes { RingBody().run($0) }
        #expect(found.events + found.torn > 0)
        #expect(found.events + found.torn <= RingImage.slots)
    }
}
