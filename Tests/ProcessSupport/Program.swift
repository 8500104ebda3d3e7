// A program of this package as a real process.

private import Foundation
private import Synchronization

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A running program that lies beside the tests' own executable. It is killed when a test forgets it.
package final class Program: Sendable {
    /// How a process ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// What a process that has ended leaves.
    package struct Result: Sendable {
        package let ending: Ending
        package let output: String
        package let errors: String
    }

    package let output: OutputLog
    package let errors: OutputLog

    private let name: String
    private let process: Process
    private let ending: OnceCell

    /// Where the end of the process is put.
    private final class OnceCell: Sendable {
        let value = Mutex<Ending?>(nil)
    }

    /// Starts a program in a directory.
    ///
    /// - Parameters:
    ///   - name: The file name of the executable.
    ///   - launcher: A command, with its arguments, that becomes the program.
    package init(
        _ name: String,
        _ arguments: [String],
        in directory: TemporaryDirectory,
        launcher: [String] = []
    ) throws {
        let process = Process()
        let command = launcher + [Self.directory.appendingPathComponent(name).path] + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = directory.url
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        let ending = OnceCell()
        process.terminationHandler = { process in
            let status = process.terminationStatus
            ending.value.withLock {
                $0 = process.terminationReason == .exit ? .exited(status) : .signalled(status)
            }
        }
        try process.run()
        self.name = name
        self.process = process
        self.ending = ending
        self.output = OutputLog(reading: output.fileHandleForReading)
        self.errors = OutputLog(reading: errors.fileHandleForReading)
    }

    deinit {
        if self.ending.value.withLock({ $0 }) == nil { kill(self.process.processIdentifier, SIGKILL) }
    }

    /// The id of the process.
    package var processID: Int32 { self.process.processIdentifier }

    /// Runs a program to its end.
    package static func run(
        _ name: String,
        _ arguments: [String],
        in directory: TemporaryDirectory,
        launcher: [String] = [],
        within limit: Duration = .seconds(20)
    ) async throws -> Result {
        let program = try Program(name, arguments, in: directory, launcher: launcher)
        do {
            let ending = try await program.waitForExit(within: limit)
            return Result(ending: ending, output: program.output.text, errors: program.errors.text)
        } catch {
            program.send(SIGKILL)
            throw error
        }
    }

    /// Sends a signal, unless the process has ended.
    package func send(_ signal: Int32) {
        guard self.ending.value.withLock({ $0 }) == nil else { return }
        kill(self.process.processIdentifier, signal)
    }

    /// Waits until the process has ended and its output was read.
    @discardableResult
    package func waitForExit(within limit: Duration) async throws -> Ending {
        try await eventually("\(self.name) ends", within: limit) {
            guard self.output.isAtEnd, self.errors.isAtEnd else { return nil }
            return self.ending.value.withLock { $0 }
        }
    }

    /// Waits for the port that a server prints. Fails at once when the process ends instead.
    package func listeningPort(within limit: Duration = .seconds(30)) async throws -> Int {
        let line = try await eventually("\(self.name) listens", within: limit) {
            if let line = self.output.lines.first(where: { $0.hasPrefix("listening on http://") }) { return line }
            if self.ending.value.withLock({ $0 }) != nil, self.errors.isAtEnd {
                throw TestSupportError("\(self.name) ended before it listened: \(self.errors.text)")
            }
            return nil
        }
        guard let port = line.split(separator: ":").last.flatMap({ Int($0) }) else {
            throw TestSupportError("no port in: \(line)")
        }
        return port
    }

    /// Where the build put the programs: beside the executable that runs the tests.
    private static var directory: URL {
        #if os(Linux)
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        #else
        Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }?.bundleURL.deletingLastPathComponent()
            ?? Bundle.main.bundleURL
        #endif
    }
}
