// `g` at any moment, held against a table in memory that was told the same.

import ContrailRecorder
import ContrailStore
import GRDB
import TestSupport
import Testing

@Suite("The history of g")
struct TrailReaderTests {
    /// What one call did to one key of one context.
    private struct Step {
        let context: UInt32
        let key: String
        let json: String?
        let seq: Int64
    }

    private static func value(_ random: inout SeededRandom) -> (RecordedValue, String) {
        switch Int.random(in: 0..<6, using: &random) {
        case 0: (.null, "null")
        case 1: (.bool(true), "true")
        case 2: (.text(#"a "b" \ ä"#), #""a \"b\" \\ ä""#)
        case 3: (.double(0.1), "0.1")
        case 4: (.described(type: "[Int]", size: 3), #"{"type":"[Int]","size":3}"#)
        default: Self.integer(&random)
        }
    }

    private static func integer(_ random: inout SeededRandom) -> (RecordedValue, String) {
        let value = Int64.random(in: .min ... .max, using: &random)
        return (.integer(value), String(value))
    }

    private func write(_ count: Int, to trail: TrailStore, _ random: inout SeededRandom) -> [Step] {
        (0..<count).map { _ in
            let context = UInt32.random(in: 1...5, using: &random)
            let key = "key\(Int.random(in: 0..<12, using: &random))"
            let (value, json) = Self.value(&random)
            let deletes = Int.random(in: 0..<4, using: &random) == 0
            let head = RecordHead(context: context)
            let name = trail.recorder.name(key)
            let seq =
                deletes
                ? trail.recorder.recordDelete(head, key: name, site: Site())
                : trail.recorder.recordSet(head, key: name, value: value, site: Site())
            return Step(context: context, key: key, json: deletes ? nil : json, seq: Int64(seq))
        }
    }

    @Test("a moment, a key's versions and a difference are what a table in memory says", arguments: 0..<4)
    func oracle(round: UInt64) async throws {
        let seed = UInt64.random(in: 0...UInt64.max) &+ round
        var random = SeededRandom(seed: seed)
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        // A second run in the same file, so that ids and numbers part.
        let other = try directory.open(app: "other")
        var steps: [Step] = []
        for _ in 0..<8 {
            steps += self.write(Int.random(in: 1..<300, using: &random), to: trail, &random)
            await trail.flush()
            _ = self.write(Int.random(in: 1..<50, using: &random), to: other, &random)
            await other.flush()
        }
        let reader = try TrailReader(path: directory.path)
        let last = try #require(steps.last?.seq)
        func expected(_ context: UInt32, _ seq: Int64) -> [String: Step] {
            steps.filter { $0.context == context && $0.seq <= seq }
                .reduce(into: [:]) { $0[$1.key] = $1 }
                .filter { $0.value.json != nil }
        }
        for _ in 0..<200 {
            let context = UInt32.random(in: 1...5, using: &random)
            let id = trail.runID << 32 | Int64(context)
            let (first, second) = (
                Int64.random(in: 0...last, using: &random), Int64.random(in: 0...(last + 3), using: &random)
            )
            let moment = try reader.g(of: id, at: first)
            let (before, after) = (expected(context, first), expected(context, second))
            #expect(moment.values.mapValues(\.json) == before.compactMapValues(\.json), "seed \(seed), seq \(first)")
            #expect(moment.values.mapValues(\.fromSeq) == before.mapValues(\.seq), "seed \(seed), seq \(first)")
            #expect(moment.lost.isEmpty)
            let changes = try reader.difference(of: id, from: first, to: second)
            let changed = Set(before.keys).union(after.keys).filter { before[$0]?.seq != after[$0]?.seq }
            #expect(changes.map(\.key) == changed.sorted(), "seed \(seed), seq \(first) to \(second)")
        }
        let versions = try reader.versions(of: trail.runID << 32 | 1, key: "key0")
        let own = steps.filter { $0.context == 1 && $0.key == "key0" }
        #expect(versions.map(\.fromSeq) == own.filter { $0.json != nil }.map(\.seq), "seed \(seed)")
        for version in versions {
            #expect(version.toSeq == own.first { $0.seq > version.fromSeq }?.seq, "seed \(seed)")
        }
        let viewed = try directory.rows(
            "SELECT from_seq, to_seq, value FROM g_versions WHERE context_id = ? AND key = 'key0' ORDER BY id",
            [trail.runID << 32 | 1]
        )
        #expect(viewed.map { $0[0] as Int64 } == versions.map(\.fromSeq), "seed \(seed)")
        #expect(viewed.map { $0[1] as Int64? } == versions.map(\.toSeq), "seed \(seed)")
        #expect(viewed.map { $0[2] as String } == versions.map(\.json), "seed \(seed)")
        trail.close()
        other.close()
    }

    @Test("each value says how well it is known, and where it was set")
    func fidelity() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        defer { trail.close() }
        let values: [(String, RecordedValue)] = [
            ("exact", .text("x")), ("described", .described(type: "Cart", size: nil)), ("secret", .redacted),
        ]
        for (key, value) in values {
            let site = Site(fileID: "Shop/A.swift", line: 9)
            let name = trail.recorder.name(key)
            trail.recorder.recordSet(RecordHead(context: 1), key: name, value: value, site: site)
        }
        await trail.flush()
        let moment = try TrailReader(path: directory.path).g(of: trail.runID << 32 | 1, at: .max)
        #expect(
            moment.values.mapValues(\.fidelity) == ["exact": .exact, "described": .described, "secret": .notRecorded]
        )
        #expect(moment.values["exact"]?.site == "Shop/A.swift:9")
        #expect(
            try directory.texts("SELECT fidelity FROM g_versions ORDER BY id") == [
                "exact", "described", "not recorded",
            ]
        )
    }

    @Test("what was dropped before the moment is said")
    func losses() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 64, interval: .seconds(600))
        defer { trail.close() }
        // From now on the drain sleeps until it is asked: one report for all that is dropped.
        await trail.flush()
        for number in 0..<200 {
            let name = trail.recorder.name("n")
            trail.recorder.recordSet(RecordHead(context: 1), key: name, value: .integer(Int64(number)), site: Site())
        }
        await trail.flush()
        let reader = try TrailReader(path: directory.path)
        let lost = try reader.g(of: trail.runID << 32 | 1, at: .max).lost
        #expect(lost.map { $0.upperBound } == [Int64(201)])
        #expect(try reader.g(of: trail.runID << 32 | 1, at: 2).lost.isEmpty)
    }

    @Test("the view reads one context's versions by its index")
    func plan() throws {
        let directory = try TemporaryTrail()
        try directory.open().close()
        let plan = try directory.rows("EXPLAIN QUERY PLAN SELECT * FROM g_versions WHERE context_id = 7")
            .map { $0["detail"] as String }
        #expect(plan.first == "SEARCH e USING INDEX event_by_context (context_id=?)")
    }
}
