// The other side of the comparisons: the loop in C.

import Foundation
import RawDrain

/// A database of the same schema that the loop in C fills.
package final class RawLoop {
    private static let batch = 32_768

    private let path: String
    private let drain: OpaquePointer
    private var stored = 0

    /// Makes a database at the path with the tables and indexes of a trail.
    package init(path: String, like trail: String) throws {
        self.path = path
        guard let drain = raw_drain_open(path, try Self.schema(of: trail)) else { throw Refused() }
        self.drain = drain
    }

    /// Stores requests until there are so many events more, a few thousand in a transaction. Returns how many it stored.
    package func writeRequests(events: Int) throws -> Int {
        try self.count(raw_drain_write(self.drain, events, Self.batch))
    }

    /// Stores so many app contexts, a push and a pop each, in one transaction. Returns how many events it stored.
    package func writeApps(_ contexts: Int) throws -> Int { try self.count(raw_drain_write_apps(self.drain, contexts)) }

    private func count(_ events: Int) throws -> Int {
        guard events > 0 else { throw Refused() }
        self.stored += events
        return events
    }

    package func close() {
        raw_drain_close(self.drain)
    }

    /// What an event takes of the closed file, in bytes.
    package func bytesPerEvent() throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: self.path)[.size] as? Int ?? 0
        return Double(size) / Double(self.stored)
    }

    /// What creates the tables and indexes of a trail.
    private static func schema(of trail: String) throws -> String {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
        process.arguments = [
            "-batch", "-readonly", trail,
            """
            SELECT sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
            AND type IN ('table', 'index') ORDER BY rowid
            """,
        ]
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}

/// SQLite refused what the loop in C asked for.
private struct Refused: Error {}
