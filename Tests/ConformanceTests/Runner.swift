// The conformance runner as a real process.

import Foundation

/// The built `conformance` program, which lies beside the tests' own executable.
enum Runner {
    /// What a run left.
    struct Result: Sendable {
        let status: Int32
        let output: String
        let errors: String

        /// The lines on standard output; the text ends with a line's end.
        var lines: [String] { self.output.split(separator: "\n").map(String.init) }
        var errorLines: [String] { self.errors.split(separator: "\n").map(String.init) }
    }

    /// Runs it over files to its end. What it writes goes to files, which take any amount.
    static func run(_ files: [String]) async throws -> Result {
        try await self.inDirectory { directory in
            let output = directory.appendingPathComponent("output")
            let errors = directory.appendingPathComponent("errors")
            for url in [output, errors] { try Data().write(to: url) }
            let process = Process()
            process.executableURL = self.executable
            process.arguments = files
            process.standardInput = FileHandle.nullDevice
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
                process.terminationHandler = { process in
                    let wasKilled = process.terminationReason == .uncaughtSignal
                    done.resume(returning: wasKilled ? -process.terminationStatus : process.terminationStatus)
                }
                do { try process.run() } catch { done.resume(throwing: error) }
            }
            return Result(
                status: status,
                output: try String(contentsOf: output, encoding: .utf8),
                errors: try String(contentsOf: errors, encoding: .utf8)
            )
        }
    }

    /// Runs it over one file with these bytes.
    static func run(text: String) async throws -> Result {
        try await self.run(bytes: Data(text.utf8))
    }

    static func run(bytes: Data) async throws -> Result {
        try await self.inDirectory { directory in
            let file = directory.appendingPathComponent("input.jsonl")
            try bytes.write(to: file)
            return try await self.run([file.path])
        }
    }

    /// Runs one program and gives its trace.
    static func trace(ofProgram program: String) async throws -> [String] {
        let result = try await self.run(text: #"{"id":"one","program":\#(program)}"#)
        guard let line = result.lines.first else { throw NoTrace(errors: result.errors) }
        return try JSONDecoder().decode(Trace.self, from: Data(line.utf8)).trace
    }

    /// The tests of this target.
    static let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    /// The runner's own sources.
    static let sources = Self.tests.appendingPathComponent("../../Sources/conformance").standardizedFileURL

    private static func inDirectory<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "conformance-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        return try await body(directory)
    }

    private static var executable: URL {
        #if os(Linux)
        let tests = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        #else
        let tests = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL ?? Bundle.main.bundleURL
        #endif
        return tests.deletingLastPathComponent().appendingPathComponent("conformance")
    }
}

/// A program that gave no trace.
struct NoTrace: Error, CustomStringConvertible {
    let errors: String

    var description: String { "no trace: \(self.errors)" }
}

/// A line of the runner's output, or of a vector file.
struct Trace: Decodable {
    let id: String
    let trace: [String]
}
