// contrail verify: whether a trail is as it was written.

internal import ArgumentParser
private import ContrailStore
private import Foundation

/// Holds a trail against its chain. The exit status is 1 when something is wrong.
struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Says whether a trail is as it was written, and where it is not.",
        discussion: """
            Works on a trail that is being written and on the file of a dead service. Checks SQLite's own structures, the \
            chain of batches, the head kept beside the file, and the published names against the events.
            """
    )

    @OptionGroup var trail: TrailOption

    @Option(help: "A file with the key, if the trail is written with one.")
    var keyFile: String?

    func run() throws {
        let hadLog = self.trail.hasLog
        defer { if !hadLog { self.trail.removeIdleIndex() } }
        let report = try TrailVerifier(path: self.trail.path, key: try TrailKey.read(self.keyFile)).run()
        print("\(report.batches) batches with \(report.events) events are as they were written")
        if report.unchained > 0 { print("\(report.unchained) events belong to no chain") }
        if report.erased > 0 { print("\(report.erased) payloads were erased") }
        guard let finding = report.finding else { return }
        throw Refusal("\(finding.kind): \(finding.message)")
    }
}

/// The key of a trail's chain, from a file.
enum TrailKey {
    static func read(_ path: String?) throws -> [UInt8]? {
        guard let path else { return nil }
        guard let bytes = FileManager.default.contents(atPath: path), !bytes.isEmpty else {
            throw Refusal("\(path) cannot be read or is empty: name the file with the key")
        }
        return Array(bytes)
    }
}
