// moments: asks a large trail what g held at random moments, and holds the answers against a table in memory.

internal import ArgumentParser
internal import ContrailRecorder
internal import ContrailStore
internal import Foundation

/// Writes a trail of changes of `g`, asks it for moments, and prints one line of figures. The exit status is 1 when an answer
/// differs from what was written, or when one in a hundred takes 10 ms or longer.
@main
struct Moments: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Asks a trail what g held at random moments, and compares with a table in memory."
    )

    @Option(help: "How many changes of g the trail has.")
    var events = 1_000_000

    @Option(help: "How many moments are asked for.")
    var cases = 100_000

    @Option(help: "How many contexts there are. One in ten changes is of the first of them.")
    var contexts: UInt32 = 5000

    @Option(help: "What the changes and the moments come from.")
    var seed: UInt64?

    /// How long 99 in 100 answers may take, in microseconds.
    private static let bar = 10_000.0

    func validate() throws {
        guard self.events > 0, self.cases > 0, self.contexts > 0 else {
            throw ValidationError("events, cases and contexts from 1")
        }
    }

    func run() async throws {
        let seed = self.seed ?? UInt64.random(in: 0...(1 << 48))
        FileHandle.standardError.write(Data("moments, seed \(seed)\n".utf8))
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("moments-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("contrail.sqlite").path
        let trail = try TrailStore(path: path, app: "moments", configuration: .init(retention: .unlimited))
        var changes = Changes(seed: seed, contexts: self.contexts)
        for _ in 0..<self.events {
            changes.makeOne(trail.recorder)
            if trail.recorder.slotsInUse > trail.recorder.capacity / 2 { await trail.flush() }
        }
        await trail.flush()
        let reader = try TrailReader(path: path)
        var microseconds: [Double] = []
        var differences = 0
        for number in 0..<self.cases {
            let (context, seq) = changes.someMoment()
            let start = ContinuousClock.now
            let moment = try reader.g(of: trail.runID << 32 | Int64(context), at: seq)
            microseconds.append((ContinuousClock.now - start) / .microseconds(1))
            let found = moment.values.mapValues { Changes.Value(seq: $0.fromSeq, json: $0.json) }
            guard found == changes.values(of: context, at: seq), moment.lost.isEmpty else {
                differences += 1
                let place = "case \(number): context \(context) at \(seq)"
                if differences < 5 { FileHandle.standardError.write(Data("differs: \(place)\n".utf8)) }
                continue
            }
        }
        trail.close()
        microseconds.sort()
        let p99 = microseconds[(microseconds.count - 1) * 99 / 100]
        let figures: [(String, String)] = [
            ("seed", "\(seed)"), ("events", "\(self.events)"), ("cases", "\(self.cases)"),
            ("differences", "\(differences)"), ("p50_us", String(format: "%.0f", microseconds[microseconds.count / 2])),
            ("p99_us", String(format: "%.0f", p99)),
            ("longest_us", String(format: "%.0f", microseconds.last ?? 0)),
        ]
        print("{\(figures.map { "\"\($0)\":\($1)" }.joined(separator: ","))}")
        if differences > 0 || p99 >= Self.bar { throw ExitCode(1) }
    }
}
