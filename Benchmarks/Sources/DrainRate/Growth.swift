// Whether a trail that grows stays as fast as it was.

import ContrailStore
import Foundation

/// Grows one trail to several sizes, and compares it at each with one of the first size: in turns, so that a machine that slows down
/// slows both.
struct Growth {
    private static let turns = 4
    /// What a turn stores: as much as moves the log a few times. A shorter one would show a small trail without that.
    private static let turnEvents = 250_000
    private static let rounds = 8
    private static let queriesPerRound = 250

    private let make: (String) throws -> (path: String, trail: DrainedTrail)
    private let grown: Grown
    private var random: Random

    /// - Parameter make: Makes a trail of the name.
    init(seed: UInt64, _ make: @escaping (String) throws -> (path: String, trail: DrainedTrail)) throws {
        self.make = make
        self.grown = try Grown(make("grown"))
        self.random = Random(state: seed)
    }

    /// Prints what was seen at each size, and how far it is from the first. Returns the largest change, as a ratio above 1.
    mutating func run(_ sizes: [Int]) async throws -> Double {
        var worst = 1.0
        let sizes = sizes.sorted()
        for size in sizes.dropFirst() {
            let first = try Grown(self.make("first-\(size)"))
            try await first.drained.grow(to: sizes[0])
            try await self.grown.drained.grow(to: size)
            worst = max(worst, try await self.compare(first))
            first.close()
        }
        self.grown.close()
        return worst
    }

    private mutating func compare(_ first: Grown) async throws -> Double {
        var turns = (Turns(), Turns())
        let sizes = (first.drained.count, self.grown.drained.count)
        for _ in 0..<Self.turns {
            turns.0.add(try await first.drained.turn(events: Self.turnEvents))
            turns.1.add(try await self.grown.drained.turn(events: Self.turnEvents))
        }
        print("from \(sizes.0) events on: \(turns.0.average)")
        print("from \(sizes.1) events on: \(turns.1.average)")
        var changes = [
            ("events/s", turns.0.averageRate / turns.1.averageRate),
            ("processor time", turns.1.averageMicroseconds / turns.0.averageMicroseconds),
        ]
        for question in Question.allCases {
            let times = try await self.ask(question, first)
            print(String(format: "    %-24@ %7.1f µs, %7.1f µs", question.rawValue as NSString, times.0, times.1))
            changes.append((question.rawValue, times.1 / times.0))
        }
        let text = changes.map { String(format: "%@ %.2f", $0.0, $0.1) }.joined(separator: ", ")
        print("    times the first size: \(text)")
        return changes.map(\.1).reduce(1, max)
    }

    /// Asks both in turns. Returns the median time of each, in microseconds.
    private mutating func ask(_ question: Question, _ first: Grown) async throws -> (Double, Double) {
        var times: ([Double], [Double]) = ([], [])
        // The first round warms up.
        for round in 0...Self.rounds {
            let both = (try await self.round(question, of: first), try await self.round(question, of: self.grown))
            guard round > 0 else { continue }
            times.0 += both.0
            times.1 += both.1
        }
        return (times.0.sorted()[times.0.count / 2], times.1.sorted()[times.1.count / 2])
    }

    private mutating func round(_ question: Question, of grown: Grown) async throws -> [Double] {
        var times: [Double] = []
        for _ in 0..<Self.queriesPerRound {
            let sql = question.sql(grown.drained, &self.random)
            let start = ContinuousClock.now
            let result = try await grown.pool.run(sql)
            times.append((ContinuousClock.now - start) / .microseconds(1))
            // An answer without rows would measure nothing.
            guard !result.rows.isEmpty else { throw Empty(sql: sql) }
        }
        return times
    }
}

/// A trail, and what reads from it.
private struct Grown {
    let drained: DrainedTrail
    let pool: QueryPool

    init(_ made: (path: String, trail: DrainedTrail)) {
        self.drained = made.trail
        self.pool = QueryPool(path: made.path, connections: 1)
    }

    func close() {
        self.pool.close()
        self.drained.close()
    }
}

/// A point query.
private enum Question: String, CaseIterable {
    case context = "context by id"
    case request = "context by request id"
    case timeline = "one timeline"
    case event = "event by id"

    /// Of a random row.
    func sql(_ trail: DrainedTrail, _ random: inout Random) -> String {
        let context = 1 << 32 + random.next(trail.requests * 2)
        let request = DrainedTrail.requestID(random.next(trail.requests))
        return switch self {
        case .context: "SELECT * FROM contexts WHERE context_id = \(context)"
        case .request: "SELECT * FROM contexts WHERE request_id = '\(request)'"
        case .timeline: "SELECT * FROM events WHERE context_id = \(context) ORDER BY seq"
        case .event: "SELECT * FROM events WHERE id = \(random.next(trail.count))"
        }
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
