// Whether a trail that grows stays as fast as it was.

import ContrailStore
import Foundation

/// Grows one trail to several sizes, and takes at each what the drain's next turns need and what point queries take.
struct Growth {
    private static let turns = 3
    private static let queries = 2000

    private let drained: DrainedTrail
    private let pool: QueryPool
    private var random: Random

    init(_ drained: DrainedTrail, path: String, seed: UInt64) {
        self.drained = drained
        self.pool = QueryPool(path: path, connections: 1)
        self.random = Random(state: seed)
    }

    /// What was seen at one size.
    private struct Sight {
        let turns: Turns
        /// Median times by question, in microseconds.
        let questions: [(name: String, microseconds: Double)]
    }

    /// Prints a line for each size, and how far the last is from the first. Returns the largest change, as a ratio above 1.
    mutating func run(_ sizes: [Int]) async throws -> Double {
        var first: Sight?
        var worst = 1.0
        for size in sizes.sorted() {
            while self.drained.count < size { _ = try await self.drained.turn() }
            var turns = Turns()
            for _ in 0..<Self.turns { turns.add(try await self.drained.turn()) }
            let sight = Sight(turns: turns, questions: try await self.ask())
            print("\(self.drained.count) events: \(sight.turns.text)")
            for question in sight.questions {
                print(String(format: "    %-24@ %7.1f µs", question.name as NSString, question.microseconds))
            }
            guard let base = first else {
                first = sight
                continue
            }
            var changes = [
                ("events/s", base.turns.rate / sight.turns.rate),
                ("processor time", sight.turns.microseconds / base.turns.microseconds),
            ]
            for (old, new) in zip(base.questions, sight.questions) {
                changes.append((new.name, new.microseconds / old.microseconds))
            }
            let text = changes.map { String(format: "%@ %.2f", $0.0, $0.1) }.joined(separator: ", ")
            print("    times the first size: \(text)")
            worst = changes.map(\.1).reduce(worst, max)
        }
        self.pool.close()
        return worst
    }

    private mutating func ask() async throws -> [(name: String, microseconds: Double)] {
        let (contexts, requests, events) = (self.drained.requests * 2, self.drained.requests, self.drained.count)
        return [
            (
                "context by id",
                try await self.median { "SELECT * FROM contexts WHERE context_id = \(1 << 32 + $0.next(contexts))" }
            ),
            (
                "context by request id",
                try await self.median {
                    "SELECT * FROM contexts WHERE request_id = '\(DrainedTrail.requestID($0.next(requests)))'"
                }
            ),
            (
                "one timeline",
                try await self.median {
                    "SELECT * FROM events WHERE context_id = \(1 << 32 + $0.next(contexts)) ORDER BY seq"
                }
            ),
            ("event by id", try await self.median { "SELECT * FROM events WHERE id = \($0.next(events))" }),
        ]
    }

    private mutating func median(_ query: (inout Random) -> String) async throws -> Double {
        var times: [Double] = []
        // The first tenth warms up.
        for number in 0..<Self.queries + Self.queries / 10 {
            let sql = query(&self.random)
            let start = ContinuousClock.now
            let result = try await self.pool.run(sql)
            let time = (ContinuousClock.now - start) / .microseconds(1)
            // An answer without rows would measure nothing.
            guard !result.rows.isEmpty else { throw Empty(sql: sql) }
            if number >= Self.queries / 10 { times.append(time) }
        }
        return times.sorted()[times.count / 2]
    }
}

/// A question that had no answer.
private struct Empty: Error {
    let sql: String
}

/// Numbers from a seed (SplitMix64).
private struct Random {
    var state: UInt64

    /// From 1 to the limit.
    mutating func next(_ limit: Int) -> Int {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) % UInt64(max(limit, 1))) + 1
    }
}
