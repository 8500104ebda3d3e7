// Prints what contexts and variables cost, one line a row, for `Peers/compare.py` to hold against Flask's figures.

import ArgumentParser
import CostRows

/// Measures every row once and prints `row<TAB>nanoseconds a call`, the fastest of several batches.
@main
struct PeerCosts: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures what contexts and variables cost.",
        discussion: "Audited rows really record: a batch fits in the recorder's buffer, and a drop ends the program."
    )

    @Option(help: "How many batches are timed for each row; the fastest counts.")
    var batches = 4

    @Option(help: "Measure only the row of this name.")
    var only = ""

    @Flag(help: "Go on for ever, for a profiler.")
    var forever = false

    func run() throws {
        let rows = Row.all.filter { self.only.isEmpty || $0.name == self.only }
        repeat {
            for row in rows {
                let nanoseconds = row.fastest(of: self.batches)
                if !self.forever { print("\(row.name)\t\(nanoseconds)") }
            }
        } while self.forever
    }
}
