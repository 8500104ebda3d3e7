// Contexts that outlive the batches they were written in: open ones, pinned ones.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import HTTPTypes
import Testing

extension RetentionTests {
    @Suite("Contexts that outlive retention")
    struct KeptContextTests {
        private static let retention = TrailStore.Retention(cap: 5 << 19)
        private static let first: Int64 = 1 << 32 | 1

        private func row(_ directory: TemporaryTrail, _ context: Int64) throws -> String? {
            try directory.rows("SELECT * FROM contexts WHERE context_id = ?", [context]).first?.description
        }

        @Test("An open context keeps its row and what g holds; it goes when it was over long ago")
        func open() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: Self.retention)
            let traffic = try Traffic(trail)
            // Another app's: requests would share its g.
            try await withAppContext(App("jobs", recorder: trail.recorder)) { context async throws in
                context.g["job"] = "first"
                context.g["gone"] = true
                _ = try context.g.pop("gone")
                context.g["job"] = "second"
                await trail.flush()
                let before = try self.row(directory, Self.first)
                let set = try directory.integer("SELECT max(seq) FROM events WHERE kind = 'g_set'") ?? 0
                await traffic.requests(0..<2200)
                #expect(try RetentionStatus(path: directory.path).slices > 0)
                #expect(try self.row(directory, Self.first) == before)
                #expect(before?.contains("open") == true)
                let reader = try TrailReader(path: directory.path)
                let now = try reader.g(of: Self.first, at: .max)
                #expect(now.values.mapValues(\.json) == ["job": #""second""#])
                #expect(now.lost == [])
                // What it held before is not known, and the answer says so.
                let early = try reader.g(of: Self.first, at: Int64(set) - 1)
                #expect(early.values == [:])
                #expect(early.lost.first?.upperBound == Int64(set) - 1)
                context.g["job"] = "third"
                await traffic.requests(2200..<4400)
                #expect(try reader.g(of: Self.first, at: .max).values.mapValues(\.json) == ["job": #""third""#])
                #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            }
            await trail.flush()
            #expect(try self.row(directory, Self.first)?.contains("outcome:\"ok\"") == true)
            await traffic.requests(4400..<6600)
            #expect(try self.row(directory, Self.first) == nil)
            let gone = try TrailReader(path: directory.path).g(of: Self.first, at: .max)
            #expect(gone.values == [:])
            #expect(gone.lost.count == 1)
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("Contexts that died stay as long as the end of their run, and then go")
        func died() async throws {
            let directory = try TemporaryTrail()
            let run = try directory.open(retention: Self.retention)
            await withAppContext(App("shop", recorder: run.recorder)) { _ async in
                await run.flush()
                run.close()
            }
            #expect(try self.row(directory, Self.first)?.contains("unknown") == true)
            let next = try directory.open(retention: Self.retention)
            try await Traffic(next).requests(0..<4400)
            #expect(try self.row(directory, Self.first) == nil)
            next.close()
            // Nothing of it is left, and so neither is its run.
            #expect(try directory.integer("SELECT count(*) FROM runs WHERE run_id = 1") == 0)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("A pinned context reads as before, however much comes after it, until it is unpinned")
        func pinned() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: Self.retention)
            let traffic = try Traffic(trail)
            await traffic.requests(0..<3)
            let app = Self.first + 2
            let request = Self.first + 3
            try await trail.pin(app)
            try await trail.pin(request)
            try await trail.pin(request)
            func all() throws -> [String] {
                try ["contexts", "events", "teardowns", "g_snapshots", "g_versions"].flatMap { name in
                    try directory.rows(
                        "SELECT * FROM \(name) WHERE context_id IN (\(app), \(request)) "
                            + (name == "events" ? "AND kind <> 'pin' " : "") + "ORDER BY 1"
                    )
                    .map { "\(name) \($0)" }
                }
            }
            let before = try all()
            #expect(before.count > 10)
            let set = try #require(
                try directory.integer("SELECT seq FROM events WHERE kind = 'g_set' AND context_id = \(app)")
            )
            await traffic.requests(3..<2200)
            #expect(try all() == before)
            #expect(try directory.rows("SELECT * FROM contexts WHERE context_id = ?", [Self.first]).isEmpty)
            #expect(try RetentionStatus(path: directory.path).pins == [app, request])
            let reader = try TrailReader(path: directory.path)
            let moment = try reader.g(of: app, at: Int64(set))
            #expect(moment.values.mapValues(\.json) == ["order": "1"])
            #expect(moment.lost == [])
            #expect(try reader.g(of: app, at: Int64(set) - 1).values == [:])
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            try Reindex.run(directory.path)
            #expect(try all() == before)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)

            try await trail.unpin(app)
            try await trail.unpin(request)
            await traffic.requests(2200..<4400)
            #expect(try all() == [])
            #expect(
                try directory.texts("SELECT detail FROM events WHERE kind = 'pin'")
                    == []
            )
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("Pinning by another process leaves an event of its own; what is not there cannot be pinned")
        func elsewhere() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open()
            try await Traffic(trail).requests(0..<3)
            try Pinning(path: directory.path).set(Self.first, isPinned: true)
            try Pinning(path: directory.path).set(Self.first, isPinned: false)
            try await trail.pin(Self.first)
            let details = try directory.texts(
                "SELECT detail FROM events WHERE kind = 'pin' AND context_id = \(Self.first)"
            )
            #expect(details == [#"{"pinned":true}"#, #"{"pinned":false}"#, #"{"pinned":true}"#])
            #expect(throws: StoreError(.unknownContext, "")) {
                try Pinning(path: directory.path).set(99, isPinned: true)
            }
            await #expect(throws: StoreError(.unknownContext, "")) { try await trail.pin(99) }
            trail.close()
            await #expect(throws: StoreError(.inaccessible, "")) { try await trail.pin(Self.first) }
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored)
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        @Test("A value of a kept context is erased, and the chain and the anchor hold")
        func erased() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: Self.retention)
            let traffic = try Traffic(trail)
            await traffic.requests(0..<3)
            try await trail.pin(Self.first)
            await traffic.requests(3..<2200)
            trail.close()
            #expect(try Erasure(path: directory.path).run(key: "order", equals: "0").erased > 0)
            #expect(
                try directory.texts("SELECT value FROM g_versions WHERE context_id = \(Self.first)") == [
                    #"{"erased":true}"#
                ]
            )
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
        }

        /// Changes, and what verifying says of them.
        private static let changes = [
            ("UPDATE event SET at = at + 1 WHERE id = (SELECT min(event_id) FROM kept)", "row_changed"),
            ("DELETE FROM event WHERE id = (SELECT min(event_id) FROM kept)", "row_missing"),
            ("DELETE FROM kept WHERE event_id = (SELECT min(event_id) FROM kept)", "row_added"),
            (
                "DELETE FROM event WHERE id = (SELECT max(event_id) FROM kept); "
                    + "DELETE FROM kept WHERE event_id = (SELECT max(event_id) FROM kept)", "anchor_changed"
            ),
            ("UPDATE string SET value = 'other' WHERE value = 'order'", "anchor_changed"),
            ("UPDATE lane SET thread = 1 WHERE id = (SELECT min(id) FROM lane)", "anchor_changed"),
            ("UPDATE anchor SET last_id = last_id - 1", "batch_changed"),
            ("UPDATE anchor SET root = zeroblob(32)", "batch_changed"),
            ("UPDATE anchor SET kept = zeroblob(32)", "anchor_changed"),
            ("UPDATE anchor SET last_run = last_run - 1", "anchor_changed"),
            ("UPDATE run SET host = 'other' WHERE run_id = 1", "batch_changed"),
            ("PRAGMA ignore_check_constraints = ON; UPDATE anchor SET id = 3", "batch_missing"),
            ("DELETE FROM anchor", "batch_missing"),
            ("DELETE FROM batch WHERE id = (SELECT min(id) FROM batch)", "batch_missing"),
            (
                "DELETE FROM event WHERE id BETWEEN (SELECT min(first_id) FROM batch) AND (SELECT min(last_id) FROM batch); "
                    + "UPDATE anchor SET (batch_id, root, last_id) = "
                    + "(SELECT id, root, last_id FROM batch ORDER BY id LIMIT 1); "
                    + "DELETE FROM batch WHERE id = (SELECT min(id) FROM batch)", "anchor_changed"
            ),
            ("INSERT INTO event (id, shift, at, kind, lane) VALUES (1, 0, 1, 20, 1)", "row_added"),
            (
                "DELETE FROM event WHERE id >= (SELECT first_id FROM batch ORDER BY id DESC LIMIT 1); "
                    + "DELETE FROM batch WHERE id = (SELECT max(id) FROM batch)", "truncated"
            ),
        ]

        @Test("What is changed of what retention left is found")
        func changed() async throws {
            let directory = try TemporaryTrail()
            let trail = try directory.open(retention: Self.retention)
            let traffic = try Traffic(trail)
            await traffic.requests(0..<3)
            try await trail.pin(Self.first)
            try await trail.pin(Self.first + 1)
            await traffic.requests(3..<1600)
            trail.close()
            #expect(try TrailVerifier(path: directory.path).run().finding == nil)
            #expect(try TrailVerifier(path: directory.path).run().kept > 5)
            for (sql, kind) in Self.changes {
                let copy = try directory.copy()
                try copy.change(sql)
                #expect(try TrailVerifier(path: copy.path).run().finding?.kind == kind, "\(sql)")
            }
        }
    }
}
