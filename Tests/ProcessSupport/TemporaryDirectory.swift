// A directory of one test, and what is in it.

package import Foundation

/// A new directory that is removed afterwards.
package struct TemporaryDirectory: Sendable {
    package let url: URL

    /// Runs the closure with a new directory.
    package static func with<Result>(_ body: (TemporaryDirectory) async throws -> Result) async throws -> Result {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("contrail-\(UUID().uuidString)").resolvingSymlinksInPath()
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        defer {
            try? FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: url.path)
            try? FileManager.default.removeItem(at: url)
        }
        return try await body(TemporaryDirectory(url: url))
    }

    /// The path of a file in it.
    package func path(_ name: String) -> String {
        self.url.appendingPathComponent(name).path
    }

    /// Writes a file.
    package func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: self.url.appendingPathComponent(name))
    }

    /// The names of everything in it, and of everything below.
    package var names: [String] {
        get throws { try FileManager.default.subpathsOfDirectory(atPath: self.url.path).sorted() }
    }

    /// Every file with its bytes and mode, every directory with its mode.
    package var state: [String: Entry] {
        get throws {
            try Dictionary(uniqueKeysWithValues: self.names.map { ($0, try Entry(path: self.path($0))) })
        }
    }

    /// One file or directory. Two are equal when nothing was changed.
    package struct Entry: Equatable, Sendable, CustomStringConvertible {
        private let mode: Int
        private let bytes: Data?

        init(path: String) throws {
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            self.mode = attributes[.posixPermissions] as? Int ?? 0
            let isFile = attributes[.type] as? FileAttributeType == .typeRegular
            self.bytes = isFile ? try Data(contentsOf: URL(fileURLWithPath: path)) : nil
        }

        package var description: String {
            "mode \(String(self.mode, radix: 8)), \(self.bytes.map { "\($0.count) bytes" } ?? "no file")"
        }
    }
}
