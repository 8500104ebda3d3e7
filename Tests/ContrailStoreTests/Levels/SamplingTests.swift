// Contexts that are sampled out: which of them are kept after all, and that every event is accounted for.

import Contrail
import ContrailRecorder
import ContrailStore
import GRDB
import HTTPTypes
import TestSupport
import Testing

@Suite("Sampling")
struct SamplingTests {
    private struct Broken: Error {}

    private func request(_ path: String) -> HTTPRequest {
        HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
    }

    private func kinds(_ directory: TemporaryTrail) throws -> [String?] {
        try directory.texts("SELECT kind FROM events WHERE kind NOT LIKE 'run_%' AND kind <> 'recycle' ORDER BY seq")
    }

    /// What went wrong with the account of a recorder whose run has ended, or nothing.
    private func check(_ trail: TrailStore, _ directory: TemporaryTrail) throws {
        let accounting = trail.recorder.accounting
        #expect(accounting.buffered == 0)
        #expect(try directory.integer("SELECT count(*) FROM events").map(UInt64.init) == accounting.stored)
        // What is sampled out has no number: gaps are drops, and nothing was dropped.
        #expect(try directory.integer("SELECT max(seq) = count(*) FROM events") == 1)
        #expect(accounting.produced == accounting.stored + accounting.sampledOut)
    }

    @Test("a request that is sampled out and ends well leaves nothing, and is counted")
    func sampledOut() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: .init(rate: 0))
        try withRequestContext(app, self.request("/")) { try $0.g["a"] = 1 }
        withAppContext(app) { $0.g["b"] = "x" }
        trail.close()
        #expect(try self.kinds(directory) == [])
        #expect(try directory.integer("SELECT count(*) FROM contexts") == 0)
        #expect(trail.recorder.accounting.sampledOut == 10)
        try self.check(trail, directory)
    }

    @Test("one that fails is kept, with what it recorded before, in order and in its contexts")
    func failing() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: .init(rate: 0))
        try? withRequestContext(app, self.request("/pay")) { context in
            try context.g["order"] = 7
            throw Broken()
        }
        trail.close()
        #expect(
            try self.kinds(directory) == ["app_push", "request_push", "g_set", "g_snapshot", "request_pop", "app_pop"]
        )
        #expect(try directory.texts("SELECT DISTINCT outcome FROM contexts") == ["failed"])
        #expect(
            try directory.integer(
                """
                SELECT count(*) FROM contexts AS r JOIN contexts AS a ON a.context_id = r.parent_id
                WHERE r.path = '/pay'
                """
            ) == 1
        )
        try self.check(trail, directory)
    }

    @Test("a slow one is kept, and one with a failing hook, and one with a problem")
    func worthKeeping() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let slow = App("slow", recorder: trail.recorder, recording: .init(rate: 0, slow: .zero))
        withAppContext(slow) { _ in }
        let hooked = App("hooked", recorder: trail.recorder, recording: .init(rate: 0))
        try hooked.teardownAppContext("break") { _, _ in throw Broken() }
        try? withAppContext(hooked) { _ throws in }
        let leaking = App("leaking", recorder: trail.recorder, recording: .init(rate: 0))
        try withAppContext(leaking) { _ throws in try AppContext(leaking).push() }
        trail.close()
        #expect(
            try directory.texts("SELECT app FROM contexts ORDER BY pushed_at, context_id") == [
                "slow", "hooked", "leaking", "leaking",
            ]
        )
        try self.check(trail, directory)
    }

    @Test("no more than 256 events of a context are held, and the trail says how many are missing")
    func bounded() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder, recording: .init(rate: 0))
        try? withAppContext(app) { context in
            for number in 0..<1000 { context.g["n"] = number }
            throw Broken()
        }
        trail.close()
        #expect(try directory.integer("SELECT count(*) FROM events WHERE kind = 'g_set'") == 255)
        let text = try directory.texts(
            "SELECT detail ->> '$.error' FROM events WHERE kind = 'error' AND name = 'sampling'"
        )
        #expect(text.first??.hasPrefix("746 events of this context are missing") == true)
        #expect(trail.recorder.accounting.sampledOut == 746)
        try self.check(trail, directory)
    }

    @Test("a route says otherwise than its app, and off records nothing of what fails either")
    func routes() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let recording = App.Recording(
            rate: 0,
            routes: ["/all": .init(rate: 1), "/none": .init(level: .off), "/deep": .init(level: .full, rate: 1)]
        )
        let app = App("shop", recorder: trail.recorder, recording: recording)
        for path in ["/all", "/some", "/none", "/deep"] {
            try app.route(path) { context in
                try context.g["list"] = [1, 2]
                if path == "/none" { throw Broken() }
                return "\(path)"
            }
        }
        for path in ["/all", "/some", "/none", "/deep"] { _ = try app.dispatch(self.request(path)) }
        trail.close()
        #expect(
            try directory.texts("SELECT path FROM contexts WHERE kind = 'request' ORDER BY context_id") == [
                "/all", "/deep",
            ]
        )
        #expect(try directory.texts("SELECT fidelity FROM g_versions ORDER BY id") == ["described", "exact"])
        try self.check(trail, directory)
    }

    @Test("an app that is off leaves no trail, and one may record more than its recorder")
    func levels() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        withAppContext(App("off", recorder: trail.recorder, recording: .init(level: .off))) { $0.g["list"] = [1] }
        withAppContext(App("full", recorder: trail.recorder, recording: .init(level: .full))) { $0.g["list"] = [1] }
        withAppContext(App("plain", recorder: trail.recorder)) { $0.g["list"] = [1] }
        trail.close()
        #expect(try directory.texts("SELECT app FROM contexts ORDER BY context_id") == ["full", "plain"])
        #expect(try directory.texts("SELECT fidelity FROM g_versions ORDER BY id") == ["exact", "described"])
    }

    @Test("with many threads, every event is stored or counted, and whole contexts go or stay", arguments: 0..<3)
    func accounting(round: UInt64) async throws {
        let seed = UInt64.random(in: 0...UInt64.max) &+ round
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 65_536)
        let app = App("shop", recorder: trail.recorder, recording: .init(rate: 0.3))
        await withTaskGroup { group in
            for worker in 0..<4 as Range<UInt64> {
                group.addTask {
                    var random = SeededRandom(seed: seed &+ worker)
                    for _ in 0..<200 {
                        let fails = Int.random(in: 0..<5, using: &random) == 0
                        try? withAppContext(app) { context in
                            context.g["n"] = 1
                            if fails { throw Broken() }
                        }
                    }
                }
            }
        }
        let before = trail.recorder.accounting
        #expect(before.produced == 1 + 800 * 4, "seed \(seed)")
        trail.close()
        try self.check(trail, directory)
        let contexts = try directory.integer("SELECT count(*) FROM contexts") ?? 0
        #expect(try directory.integer("SELECT count(*) FROM events WHERE context_id IS NOT NULL") == contexts * 4)
        #expect(trail.recorder.accounting.sampledOut == UInt64(800 - contexts) * 4, "seed \(seed)")
    }
}
