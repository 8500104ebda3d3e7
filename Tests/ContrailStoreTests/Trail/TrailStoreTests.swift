// What contexts do arrives in the trail: events, projections, and the account of them.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import ProcessSupport
import Testing

@Suite("The trail")
struct TrailStoreTests {
    private struct Broken: Error {}

    @Test("a request leaves its events in order, and its row in contexts")
    func request() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder)
        try app.teardownAppContext("close") { _, _ in }
        try app.teardownRequest("log") { _, _ in }
        try withRequestContext(app, HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/a?b=c")) { context in
            try context.g["order"] = 7
        }
        trail.close()
        #expect(
            try directory.texts("SELECT kind FROM events ORDER BY seq") == [
                "run_start", "app_push", "request_push", "g_set", "g_snapshot", "teardown", "request_pop", "teardown",
                "app_pop", "run_end",
            ]
        )
        let row = try #require(try directory.rows("SELECT * FROM contexts WHERE kind = 'request'").first)
        #expect(row["method"] == "GET")
        #expect(row["path"] == "/a")
        #expect(row["outcome"] == "ok")
        #expect(row["app"] == "shop")
        #expect(row["push_site"] as String? == (row["pop_site"] as String?))
        let parent: Int64? = row["parent_id"]
        #expect(try directory.rows("SELECT 1 FROM contexts WHERE kind = 'app' AND context_id = ?", [parent]).count == 1)
        #expect(try directory.texts("SELECT hook FROM teardowns ORDER BY seq") == ["log", "close"])
        #expect(try directory.texts("SELECT g_json FROM g_snapshots") == [#"{"order":7}"#])
    }

    @Test("an open context is visible while it is open")
    func openContext() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        defer { trail.close() }
        let app = App("shop", recorder: trail.recorder)
        try await withAppContext(app) { _ async throws in
            await trail.flush()
            #expect(try directory.texts("SELECT outcome FROM contexts") == ["open"])
            #expect(try directory.integer("SELECT count(*) FROM contexts WHERE popped_at IS NULL") == 1)
        }
        await trail.flush()
        #expect(try directory.texts("SELECT outcome FROM contexts") == ["ok"])
    }

    @Test("a failing hook is a problem with a stable signature, and its error is in teardowns")
    func failingHook() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder)
        try app.teardownAppContext("close") { _, _ in throw Broken() }
        for _ in 0..<2 {
            #expect(throws: ContextError.self) { try withAppContext(app) { _ throws in } }
        }
        trail.close()
        #expect(try directory.texts("SELECT error FROM teardowns") == ["Broken()", "Broken()"])
        #expect(try directory.texts("SELECT DISTINCT kind FROM problems") == ["teardown_failed"])
        #expect(try directory.integer("SELECT count(DISTINCT signature) FROM problems") == 1)
        #expect(try directory.integer("SELECT min(length(signature)) FROM problems") == 16)
    }

    @Test("the id of a context is its run times two to the thirty-second plus its number")
    func contextID() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        withAppContext(App("shop", recorder: trail.recorder)) { _ in }
        trail.close()
        #expect(try directory.integer("SELECT context_id - (run_id << 32) FROM contexts") == 1)
        #expect(
            try directory.integer("SELECT context_id = (run_id << 32) + 1 FROM events WHERE kind = 'app_push'") == 1
        )
    }

    @Test("times do not run backwards within a run")
    func monotonicTimes() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<50 { withAppContext(app) { $0.g["x"] = 1 } } }
            }
        }
        trail.close()
        let steps = "SELECT at - lag(at) OVER (ORDER BY id) AS step FROM events"
        #expect(try directory.integer("SELECT count(*) FROM (\(steps)) WHERE step < 0") == 0)
        #expect(try directory.integer("SELECT count(*) = max(seq) FROM events") == 1)
    }

    @Test("flush returns when everything recorded before it is committed")
    func flush() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(interval: .seconds(600))
        defer { trail.close() }
        let app = App("shop", recorder: trail.recorder)
        for _ in 0..<100 { withAppContext(app) { _ in } }
        await trail.flush()
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 100)
        #expect(trail.recorder.accounting.buffered == 0)
    }

    @Test("a full buffer drops with an exact count, and a drop event and a problem say so")
    func overflow() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 64)
        let app = App("shop", recorder: trail.recorder)
        let blocker = try directory.connection()
        // While another connection has the write lock nothing can be stored, and 2,000 events do not fit into 64 places.
        try blocker.inTransaction(.immediate) { _ in
            for _ in 0..<1000 { withAppContext(app) { _ in } }
            return .rollback
        }
        try blocker.close()
        await trail.flush()
        let accounting = trail.recorder.accounting
        #expect(accounting.dropped > 0)
        trail.close()
        let dropped = try directory.integer("SELECT sum(detail ->> '$.count') FROM events WHERE kind = 'drop'")
        #expect(dropped.map(UInt64.init) == accounting.dropped)
        #expect(
            try directory.integer("SELECT max(seq) - count(*) FROM events").map(UInt64.init) == accounting.dropped
        )
        #expect(try directory.integer("SELECT count(*) FROM problems WHERE kind = 'lost'") ?? 0 > 0)
    }

    @Test("a large ring is committed in large pieces, of several batches; a small one gets room back sooner")
    func commits() async throws {
        // Commits of a run, the largest batch, and where the contexts are.
        func store(_ capacity: Int, requests: Int) async throws -> (numbers: Set<Int>, largest: Int) {
            let directory = try TemporaryTrail()
            let trail = try directory.open(capacity: capacity, interval: .seconds(3600))
            let app = App("shop", recorder: trail.recorder)
            await trail.flush()
            for _ in 0..<requests { withAppContext(app) { _ in } }
            let reader = try directory.connection()
            var numbers: Set<Int> = []
            async let flushed: Void = trail.flush()
            repeat {
                let count = try await reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM context") }
                numbers.insert(count ?? 0)
            } while !numbers.contains(requests)
            await flushed
            try reader.close()
            trail.close()
            #expect(trail.recorder.accounting.dropped == 0)
            #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == requests)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            return (numbers, try directory.integer("SELECT max(last_id - first_id + 1) FROM batch") ?? 0)
        }
        // Two events each, less than a quarter of the ring, for which nobody would wait: all in one commit, and in such of
        // 8,192. The first batch goes on with that of the run's start.
        let large = try await store(1 << 18, requests: 8000)
        #expect(large.numbers.isSubset(of: [0, 8000]))
        #expect(large.largest == 8193)
        let small = try await store(65_536, requests: 8000)
        #expect(small.numbers.isSubset(of: [0, 4096, 8000]))
        #expect(small.largest == 8193)
    }

    @Test("a database that is locked for a while loses nothing that fits the buffer")
    func lockedForAWhile() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 8192)
        let app = App("shop", recorder: trail.recorder)
        let blocker = try directory.connection()
        try blocker.inTransaction(.immediate) { _ in
            for _ in 0..<1000 { withAppContext(app) { _ in } }
            return .rollback
        }
        try blocker.close()
        await trail.flush()
        trail.close()
        #expect(trail.recorder.accounting.dropped == 0)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 1000)
    }

    @Test("what a commit did that failed in its last statement is forgotten: events keep their own times")
    func rolledBack() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(interval: .seconds(3600))
        let app = App("shop", recorder: trail.recorder)
        await trail.flush()
        let other = try directory.connection()
        try await other.write {
            try $0.execute(
                sql: "CREATE TRIGGER stop BEFORE INSERT ON context BEGIN SELECT RAISE(ABORT, 'not now'); END"
            )
        }
        for _ in 0..<5 { withAppContext(app) { _ in } }
        async let flushed: Void = trail.flush()
        _ = try await eventually("the drain notices", within: .seconds(60)) { trail.status.degradation }
        try await other.write { try $0.execute(sql: "DROP TRIGGER stop") }
        try other.close()
        await flushed
        trail.close()
        let times = "SELECT count(DISTINCT at) FROM events WHERE kind IN ('app_push', 'app_pop')"
        // Each takes a microsecond at least, in a debug build.
        #expect(try directory.integer(times) ?? 0 > 1)
        #expect(try TrailVerifier(path: directory.path).run().finding == nil)
    }

    @Test("the status says why nothing is stored, and that it goes on, with nothing lost")
    func status() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 8192)
        let app = App("shop", recorder: trail.recorder)
        await trail.flush()
        #expect(trail.status.degradation == nil)
        #expect(trail.status.lag == .zero)
        let first = try #require(trail.status.lastCommit)
        try Self.whileLocked(directory) {
            withAppContext(app) { _ in }
            while trail.status.degradation == nil { sched_yield() }
            #expect(trail.status.degradation == .locked)
            #expect(trail.status.waiting > 0)
            #expect(trail.status.lag > .zero)
        }
        await trail.flush()
        let status = trail.status
        #expect(status.degradation == nil)
        #expect(status.waiting == 0)
        #expect(try #require(status.lastCommit) > first)
        #expect(status.logBytes > 0)
        #expect(trail.recorder.accounting.dropped == 0)
        trail.close()
    }

    private static func whileLocked(_ directory: TemporaryTrail, _ body: () -> Void) throws {
        let blocker = try directory.connection()
        try blocker.inTransaction(.immediate) { _ in
            body()
            return .rollback
        }
        try blocker.close()
    }

    @Test("each durability stores everything", arguments: [TrailStore.Durability.ring, .group, .full])
    func durability(_ durability: TrailStore.Durability) async throws {
        let directory = try TemporaryTrail()
        let configuration = TrailStore.Configuration(durability: durability)
        let trail = try TrailStore(path: directory.path, app: "shop", configuration: configuration)
        for _ in 0..<100 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
        await trail.flush()
        #expect(trail.status.durability == durability)
        trail.close()
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 100)
    }

    @Test("secrets under their names never reach the file")
    func redaction() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let app = App("shop", recorder: trail.recorder)
        struct Leaky: Error, CustomStringConvertible { let description = "login failed: password=hunter2-c" }
        try? withRequestContext(
            app,
            HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/login?token=hunter2-d")
        ) { context in
            try context.g["api_key"] = "hunter2-a"
            try context.g["Session-Token"] = "hunter2-b"
            try context.g.snapshot("after login")
            throw Leaky()
        }
        trail.close()
        for (name, bytes) in try directory.contents() {
            #expect(bytes.range(of: Data("hunter2".utf8)) == nil, "in \(name)")
        }
        #expect(
            try directory.texts("SELECT error FROM contexts WHERE kind = 'request'") == [
                "login failed: password=[redacted]"
            ]
        )
        #expect(
            try directory.integer("SELECT g_json ->> '$.api_key.redacted' FROM g_snapshots WHERE label = 'after login'")
                == 1
        )
    }

    @Test("events cannot be changed")
    func appendOnly() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.close()
        let queue = try directory.connection()
        #expect(throws: DatabaseError.self) { try queue.write { try $0.execute(sql: "UPDATE event SET at = 0") } }
    }
}
