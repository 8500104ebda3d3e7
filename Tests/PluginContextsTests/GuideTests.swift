// The guide "Add a variable": its code is the example's, and does what the guide says.

import ContextVariables
import Foundation
import PluginContexts
import Synchronization
import Testing

@Suite("Guide: add a variable")
struct GuideTests {
    private static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private let worker = Worker(kind: "job:rates", number: 0)

    @Test("Every block of Swift in the guide occurs in the example's sources.")
    func blocks() throws {
        let guide = try Self.text(of: "docs/guides/add-a-variable.md")
        let directory = Self.package.appending(path: "Examples/PluginContexts")
        let files = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let sources = try files.filter { $0.hasSuffix(".swift") }
            .map { try Self.text(of: "Examples/PluginContexts/\($0)") }
        let blocks = guide.components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "```").first }
        try #require(blocks.count >= 6)
        for block in blocks { #expect(sources.contains { $0.contains(block) }, "not in the example:\n\(block)") }
    }

    @Test("The rates are asked for once in a unit, and again in the next.")
    func conversions() async throws {
        let asked = Mutex(0)
        let rates = Rates {
            asked.withLock { $0 += 1 }
            return ["EUR": 0.5]
        }
        try await self.worker.run { () async throws in
            #expect(try await convert(10, to: "EUR", rates: rates) == 5)
            #expect(try await convert(20, to: "EUR", rates: rates) == 10)
            #expect(try await convert(20, to: "XXX", rates: rates) == nil)
            #expect(try convertAll([2, 4], to: "EUR") == [1, 2])
            #expect(explainRates() == "there are rates")
        }
        #expect(asked.withLock { $0 } == 1)
        #expect(try await work(through: ["EUR", "XXX"], on: self.worker, rates: rates) == [50, 0])
        #expect(asked.withLock { $0 } == 3)
    }

    @Test("A hand-off sees the rates that were known, after its unit too, and not the transaction.")
    func handOff() async throws {
        let rates = Rates {
            Issue.record("asked")
            return [:]
        }
        let (task, snapshot) = try self.worker.run { () throws in
            try exchangeRates.set(["EUR": 0.5])
            try openTransaction.set("t1")
            return (convertElsewhere(10, to: "EUR", rates: rates), VariableSnapshot())
        }
        #expect(try await task.value == 5)
        #expect(try snapshot.run { openTransaction.get(default: "none") } == "none")
    }

    @Test("The explanation names the reason of each miss.")
    func explanations() throws {
        #expect(explainRates() == "no unit of work is current")
        try self.worker.run { () throws in
            let epoch = try #require(self.worker.epoch)
            #expect(explainRates() == "unit \(epoch) has not asked for them yet")
        }
        #expect(watchedRates.miss == .outsideUnit)
    }

    private static func text(of path: String) throws -> String {
        try String(contentsOf: self.package.appending(path: path), encoding: .utf8)
    }
}
