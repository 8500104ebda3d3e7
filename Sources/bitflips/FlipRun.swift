// Turns one bit after another and holds what is said of the file against what the file says.

internal import ContrailStore
internal import Foundation
internal import TestSupport

/// Turns single bits of a specimen, each in the file as it was written.
package struct FlipRun {
    /// What became of the flips. Every one is counted once.
    package struct Tally: Sendable, Equatable {
        /// Found by the chain or a comparison, with the batch or the row, or the name of the table or view.
        package var detected = 0
        /// SQLite's own check, or reading at all, failed.
        package var integrityCheck = 0
        /// Every stored row and every view is as it was, and nothing was found.
        package var noEffect = 0
        /// Only the books of retention say something else.
        package var books = 0
        /// Something else is stored and nothing was found, or what was found has no place: what must not be.
        package var missed: [String] = []
    }

    private let specimen: Specimen
    private let original: [UInt8]
    private let rows: StoredRows
    private var random: SeededRandom

    /// What was counted so far.
    package private(set) var tally = Tally()

    /// Reads the specimen. Throws when it is not as it should be before anything is turned.
    package init(_ specimen: Specimen, seed: UInt64) throws {
        if let finding = try specimen.verify() { throw Broken("the specimen is not whole: \(finding)") }
        guard let rows = StoredRows(of: specimen.path), let bytes = FileManager.default.contents(atPath: specimen.path)
        else { throw Broken("the specimen cannot be read") }
        self.specimen = specimen
        self.original = Array(bytes)
        self.rows = rows
        self.random = SeededRandom(seed: seed)
    }

    /// How many bytes the file has.
    package var size: Int { self.original.count }

    /// Turns one bit, looks, and turns it back.
    package mutating func next() throws {
        let offset = Int.random(in: 0..<self.original.count, using: &self.random)
        let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &self.random)
        try self.write(self.original[offset] ^ bit, at: offset)
        self.look("byte \(offset), bit \(bit)")
        try self.write(self.original[offset], at: offset)
        try self.checkSize()
    }

    private mutating func look(_ place: String) {
        let finding: TrailVerifier.Finding?
        do {
            finding = try self.specimen.verify()
        } catch {
            self.tally.integrityCheck += 1
            return
        }
        if let finding {
            let isLocated = finding.batch != nil || finding.row != nil || finding.kind == "schema_changed"
            if finding.kind == "corrupt" {
                self.tally.integrityCheck += 1
            } else if isLocated {
                self.tally.detected += 1
            } else {
                self.tally.missed.append("\(place): found without a place: \(finding)")
            }
            return
        }
        let changed = StoredRows(of: self.specimen.path)?.differences(from: self.rows)
        if changed == [] {
            self.tally.noEffect += 1
        } else if let changed, changed.isSubset(of: StoredRows.books) {
            self.tally.books += 1
        } else {
            self.tally.missed.append("\(place): \(changed?.sorted().description ?? "cannot be read")")
        }
    }

    private func write(_ byte: UInt8, at offset: Int) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: self.specimen.path))
        defer { try? file.close() }
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: [byte])
    }

    /// Whoever looks may not have written.
    private func checkSize() throws {
        let status = try FileManager.default.attributesOfItem(atPath: self.specimen.path)
        guard status[.size] as? Int == self.original.count else { throw Broken("a reader wrote to the file") }
    }
}

/// A tool that does not work.
package struct Broken: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
