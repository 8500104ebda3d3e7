// contrail retention status: how a trail stands against its cap.

internal import ArgumentParser
private import ContrailStore
private import Foundation

/// Groups what is about retention.
struct RetentionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention",
        abstract: "Says how much of a trail is kept, and pins what must stay.",
        subcommands: [RetentionStatusCommand.self, PinCommand.self, UnpinCommand.self]
    )
}

/// Prints the status.
struct RetentionStatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Says how large a trail is, what was dropped, and what is pinned."
    )

    @OptionGroup var trail: TrailOption

    func run() throws {
        let hadLog = self.trail.hasLog
        defer { if !hadLog { self.trail.removeIdleIndex() } }
        let status = try RetentionStatus(path: self.trail.path)
        let age = status.ageMicroseconds.map { "\(Double($0) / 1e6) s" }
        let lines = [
            ("cap", status.cap.map { "\($0) bytes" } ?? "none"),
            ("age", age ?? "any"),
            ("size", "\(status.totalBytes) bytes"),
            ("  database", "\(status.databaseBytes) bytes, \(status.freeBytes) of them free"),
            ("  log", "\(status.logBytes) bytes"),
            ("  rings", "\(status.ringBytes) bytes"),
            ("events", "\(status.events), \(status.keptEvents) of them kept of what was dropped"),
            ("oldest", status.oldest.map(Self.text) ?? "none"),
            ("dropped", "\(status.removedEvents) events, \(status.removedBytes) bytes in \(status.slices) slices"),
            ("longest pause", "\(Double(status.longestPauseNanoseconds / 1000) / 1000) ms"),
            ("pinned", status.pins.isEmpty ? "none" : status.pins.map { String($0) }.joined(separator: " ")),
        ]
        for (name, value) in lines { print("\(name): \(value)") }
    }

    private static func text(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1e6)
            .formatted(.iso8601.dateTimeSeparator(.standard).time(includingFractionalSeconds: true))
    }
}
