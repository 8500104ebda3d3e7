// Every vector, and programs of our own with the traces that the rules of the language demand, line by line. Those of
// Programs/flask.jsonl are what Flask 3.1.3 gave, with its own pops and with those of the rules alike.

import Foundation
import Testing

@Suite("Vectors")
struct VectorTests {
    @Test("Every vector of the originals gives the trace that the original gave")
    func vectors() async throws {
        let count = try await self.compare(filesIn: "Vectors")
        #expect(count == 455)
        print("\(count) of 455 vectors agree")
    }

    @Test("Programs beyond the vectors give the traces that the language's rules demand")
    func programs() async throws {
        let count = try await self.compare(filesIn: "Programs")
        #expect(count >= 120)
        print("\(count) programs of our own agree")
    }

    @Test("Running the same vectors twice gives the same bytes")
    func twice() async throws {
        let files = try Self.files(in: "Vectors").filter { $0.hasSuffix("copy_and_threads.jsonl") }
        let (first, second) = (try await Runner.run(files), try await Runner.run(files))
        #expect(first.output == second.output)
        #expect(first.lines.count == 52)
    }

    /// Compares all files of a folder, and gives the number of traces that agree.
    private func compare(filesIn folder: String) async throws -> Int {
        let files = try Self.files(in: folder)
        let expected = try files.flatMap { file in
            try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(Self.trace)
        }
        let result = try await Runner.run(files)
        #expect(result.status == 0)
        #expect(result.errors == "")
        let actual = try result.lines.map { try Self.trace($0[...]) }
        #expect(actual.map(\.id) == expected.map(\.id))
        let differences = zip(actual, expected).compactMap(Self.difference)
        for difference in differences.prefix(20) { Issue.record("\(difference)") }
        #expect(differences.count == 0, "\(differences.count) of \(expected.count) traces differ")
        return expected.count - differences.count
    }

    /// The first line in which two traces differ, in words.
    private static func difference(_ actual: Trace, _ expected: Trace) -> String? {
        if actual.trace == expected.trace { return nil }
        let index = zip(actual.trace, expected.trace).prefix { $0 == $1 }.count
        func line(_ trace: Trace) -> String { index < trace.trace.count ? trace.trace[index] : "(no line)" }
        return "\(expected.id), line \(index + 1): expected \(line(expected)) but got \(line(actual))"
    }

    private static func trace(_ line: Substring) throws -> Trace {
        try JSONDecoder().decode(Trace.self, from: Data(line.utf8))
    }

    private static func files(in folder: String) throws -> [String] {
        let directory = Runner.tests.appendingPathComponent(folder).path
        return try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { "\(directory)/\($0)" }
    }
}
