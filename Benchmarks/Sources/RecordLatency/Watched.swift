// Records between two marks, for a trace of system calls.

import ArgumentParser
import Contrail
import Foundation

/// Makes records on one thread, with a call that stands out in a trace before and after them.
struct Watched: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Record between two marks: `write` to the descriptor -1, of contrail-begin and contrail-end.",
        shouldDisplay: false
    )

    @Option(help: "How many records.")
    var records = 10_000

    func run() async throws {
        let measured = try MeasuredTrail()
        defer { measured.remove() }
        let trail = measured.store
        let app = App("bench", recorder: trail.recorder)
        let records = self.records
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                withAppContext(app) { context in
                    for number in 0..<100 { context.g["value"] = number }
                    Self.mark("contrail-begin")
                    for number in 0..<records { context.g["value"] = number }
                    Self.mark("contrail-end")
                }
                continuation.resume()
            }
        }
        trail.close()
        let accounting = trail.recorder.accounting
        print("\(records) records, \(accounting.dropped) dropped")
    }

    private static func mark(_ text: String) { _ = text.withCString { write(-1, $0, strlen($0)) } }
}
