// The other side of the comparison: the loop in C.

import Foundation
import RawDrain

/// A database of the same schema that the loop in C fills.
final class RawLoop {
    private static let batch = 8192

    private let path: String
    private let drain: OpaquePointer
    private var stored = 0

    init(path: String, schema: String) throws {
        self.path = path
        guard let drain = raw_drain_open(path, schema) else { throw Refused() }
        self.drain = drain
    }

    func turn(events: Int) async throws -> Turn {
        let turn = await Turn.measure { raw_drain_write(self.drain, events, Self.batch) }
        guard turn.events > 0 else { throw Refused() }
        self.stored += turn.events
        return turn
    }

    func close() {
        raw_drain_close(self.drain)
    }

    func bytesPerEvent() throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: self.path)[.size] as? Int ?? 0
        return Double(size) / Double(self.stored)
    }
}

/// SQLite refused what the loop in C asked for.
private struct Refused: Error {}
