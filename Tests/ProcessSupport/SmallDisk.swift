// A file system of its own for a test that fills it.

private import Foundation

#if canImport(Glibc)
private import Glibc
#else
private import Darwin
#endif

/// A small file system in memory. Mounting one needs root.
package enum SmallDisk {
    /// Whether one can be mounted here.
    package static let isPossible: Bool = {
        guard geteuid() == 0, let directory = try? Self.mount(bytes: 1 << 20) else { return false }
        Self.unmount(directory)
        return true
    }()

    /// Runs the closure with the directory of a file system of this size, which is gone afterwards.
    package static func with<Result>(bytes: Int, _ body: (String) async throws -> Result) async throws -> Result {
        let directory = try self.mount(bytes: bytes)
        defer { self.unmount(directory) }
        return try await body(directory)
    }

    /// Takes all the room that is left, with one file. Returns its path.
    package static func fill(_ directory: String) throws -> String {
        let path = "\(directory)/filler"
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw TestSupportError("cannot create \(path)") }
        defer { close(descriptor) }
        let block = [UInt8](repeating: 1, count: 4096)
        while write(descriptor, block, block.count) > 0 {}
        return path
    }

    private static func mount(bytes: Int) throws -> String {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("contrail-disk-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        guard self.run(["mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", url.path]) else {
            try? FileManager.default.removeItem(at: url)
            throw TestSupportError("cannot mount a file system at \(url.path)")
        }
        return url.path
    }

    private static func unmount(_ directory: String) {
        // What is still open goes when it is closed.
        _ = self.run(["umount", "-l", directory])
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func run(_ command: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
