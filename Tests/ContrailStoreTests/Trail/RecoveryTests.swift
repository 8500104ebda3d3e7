// A process that is killed with events in its ring: what the next start finds.

import ContextVariables
import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Testing

@Suite("Recovery")
struct RecoveryTests {
    /// Opens a trail in a process of its own, keeps its drain from committing, records, and is killed with everything of that
    /// in the ring alone: 500 contexts that ended, one that is open, with its g.
    private static func die(at path: String) {
        do {
            let trail = try TrailStore(path: path, app: "shop", configuration: .init(ringDirectory: "\(path)-rings"))
            let lock = try DatabaseQueue(path: path)
            try lock.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE")
                let app = App("shop", recorder: trail.recorder)
                for number in 0..<500 { withAppContext(app) { $0.g["number"] = number } }
                withAppContext(app) { context in
                    context.g["order"] = "late"
                    kill(getpid(), SIGKILL)
                }
            }
        } catch {
            print("cannot prepare the death: \(error)")
        }
        // Whoever lives on is no dead process: the test fails.
        exit(1)
    }

    @Test("Everything whose call had returned when the process was killed is in the trail, in order, with its g")
    func killed() async throws {
        let trail = try TemporaryTrail()
        let path = trail.path
        try FileManager.default.createDirectory(atPath: "\(path)-rings", withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in Self.die(at: path) }
        #expect(try trail.rows("SELECT end_state FROM runs").map { $0[0] as String } == ["running"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)-rings").count == 1)

        let recovered = try TrailStore.recover(path: path)
        #expect(recovered.count == 1)
        #expect(recovered.first?.failure == nil)
        #expect(recovered.first?.torn == 0)
        #expect(recovered.first?.unwritten == 0)
        #expect(recovered.first?.died == 1)
        // Every pushed and popped context, each with one value and a snapshot, and the one that is open.
        #expect(try trail.rows("SELECT count(*) FROM contexts WHERE outcome = 'ok'").first?[0] == 500)
        #expect(try trail.rows("SELECT count(*) FROM events WHERE kind = 'g_set'").first?[0] == 501)
        #expect(try trail.rows("SELECT count(*) FROM g_snapshots").first?[0] == 500)
        #expect(try trail.rows("SELECT max(seq) - count(*) FROM events").first?[0] == 0)
        #expect(
            try trail.rows(
                "SELECT count(*) FROM events AS a JOIN events AS b ON b.id = a.id + 1 WHERE b.seq <> a.seq + 1"
            ).first?[0] == 0
        )
        let last = try #require(
            try trail.rows(
                """
                SELECT c.outcome, e.name, e.detail ->> '$.value' AS value
                FROM contexts AS c JOIN events AS e USING (context_id)
                WHERE e.kind = 'g_set' ORDER BY e.id DESC LIMIT 1
                """
            )
            .first
        )
        #expect(last["outcome"] == "died")
        #expect(last["name"] == "order")
        #expect(last["value"] == "late")
        #expect(try trail.rows("SELECT end_state FROM runs").map { $0[0] as String } == ["crashed"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(path)-rings").isEmpty)
        #expect(try TrailStore.recover(path: path) == [])
    }

    /// Begins while somebody holds the write lock, so that no database knows the run, records, and is killed.
    private static func dieUnknown(at path: String, contexts: Int, rings: String?) {
        do {
            let lock = try DatabaseQueue(path: path)
            try lock.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE")
                var configuration = TrailStore.Configuration(ringDirectory: rings)
                configuration.version = "4.2"
                configuration.patience.opening = .milliseconds(5)
                let trail = try TrailStore(path: path, app: "shop", configuration: configuration)
                let app = App("shop", recorder: trail.recorder)
                guard trail.runID == 0 else { return }
                for number in 0..<contexts { withAppContext(app) { $0.g["number"] = number } }
                if contexts == 0 { kill(getpid(), SIGKILL) }
                withAppContext(app) { _ in _ = kill(getpid(), SIGKILL) }
            }
        } catch {
            print("cannot prepare the death: \(error)")
        }
        exit(1)
    }

    private func expectUnknownRun(_ trail: TemporaryTrail) throws {
        let recovered = try TrailStore.recover(path: trail.path)
        #expect(recovered.map(\.failure) == [nil])
        #expect(recovered.map(\.died) == [1])
        let rows = try trail.rows("SELECT app, version, host, executable, pid, end_state FROM runs")
        let run = try #require(rows.first { $0["end_state"] == "crashed" })
        #expect(rows.count == 2)
        #expect(run["app"] == "shop")
        #expect(run["version"] == "4.2")
        let clean = try #require(rows.first { $0["end_state"] == "clean" })
        #expect(run["host"] as String? == clean["host"])
        let paths = try [run, clean].map { try #require($0["executable"] as String?) }
        #expect(Set(paths.map { URL(fileURLWithPath: $0).lastPathComponent }).count == 1)
        #expect((run["pid"] as Int? ?? 0) > 0)
        #expect(try trail.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 200)
        #expect(try trail.integer("SELECT count(*) FROM contexts WHERE outcome = 'died'") == 1)
        #expect(try trail.integer("SELECT max(seq) - count(*) FROM events WHERE run_id = 2") == 0)
        #expect(try trail.integer("SELECT min(seq) FROM events WHERE run_id = 2") == 1)
        #expect(try TrailVerifier(path: trail.path).run().finding == nil)
        #expect(try TrailStore.recover(path: trail.path) == [])
    }

    @Test("A process that was killed before any database knew it has left everything that it recorded")
    func unknown() async throws {
        let trail = try TemporaryTrail()
        try trail.open().close()
        let (path, rings) = (trail.path, "\(trail.path)-rings")
        try FileManager.default.createDirectory(atPath: rings, withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, rings = rings as String] in
            Self.dieUnknown(at: path, contexts: 200, rings: rings)
        }
        try self.expectUnknownRun(trail)
        #expect(try FileManager.default.contentsOfDirectory(atPath: rings) == [])
    }

    @Test("The same when the disk was too full to write down where its ring is")
    func unnamed() async throws {
        let trail = try TemporaryTrail()
        try trail.open().close()
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = trail.path as String] in
            Self.dieUnknown(at: path, contexts: 200, rings: nil)
        }
        let folder = URL(fileURLWithPath: trail.path).deletingLastPathComponent()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains("-run-") }
        let file = folder.appendingPathComponent(try #require(names.first)).path
        let ring = try String(contentsOfFile: file, encoding: .utf8)
        try Data().write(to: URL(fileURLWithPath: file))
        // A young file that says nothing may be of a process that is about to lock it.
        #expect(try TrailStore.recover(path: trail.path) == [])
        #expect(FileManager.default.fileExists(atPath: ring))
        let before = Date(timeIntervalSinceNow: -120)
        try FileManager.default.setAttributes([.modificationDate: before], ofItemAtPath: file)
        try self.expectUnknownRun(trail)
        #expect(!FileManager.default.fileExists(atPath: ring))
        #expect(!FileManager.default.fileExists(atPath: file))
    }

    @Test("Of one that had done nothing yet the trail says that it began, and died")
    func silent() async throws {
        let trail = try TemporaryTrail()
        try trail.open().close()
        let (path, rings) = (trail.path, "\(trail.path)-rings")
        try FileManager.default.createDirectory(atPath: rings, withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, rings = rings as String] in
            Self.dieUnknown(at: path, contexts: 0, rings: rings)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: rings).count == 1)
        #expect(try TrailStore.recover(path: path).map(\.events) == [1])
        #expect(try FileManager.default.contentsOfDirectory(atPath: rings) == [])
        #expect(try trail.texts("SELECT kind FROM events WHERE run_id = 2") == ["run_start"])
        #expect(try trail.texts("SELECT end_state FROM runs") == ["clean", "crashed"])
    }

    @Test("The next start does the same, says so, and leaves its own run alone")
    func nextStart() async throws {
        let trail = try TemporaryTrail()
        let path = trail.path
        try FileManager.default.createDirectory(atPath: "\(path)-rings", withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in Self.die(at: path) }
        let next = try trail.open()
        #expect(next.recovered.map(\.died) == [1])
        #expect((next.recovered.first?.events ?? 0) > 2000)
        #expect(try TrailStore.recover(path: path) == [])
        next.close()
        #expect(try trail.rows("SELECT end_state FROM runs").map { $0[0] as String } == ["crashed", "clean"])
    }

    @Test("A record that is damaged is reported as torn; verify agrees with that, and reindex says the same")
    func torn() async throws {
        let trail = try TemporaryTrail()
        let path = trail.path
        try FileManager.default.createDirectory(atPath: "\(path)-rings", withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in Self.die(at: path) }
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(path)-rings").first)
        let ring = URL(fileURLWithPath: "\(path)-rings/\(name)")
        var bytes = try Data(contentsOf: ring)
        // Some slot in the middle of what was recorded.
        bytes[bytes.count - (FlightRecorder.Configuration().capacity - 100) * RingLayout.slotSize + 24] ^= 1
        try bytes.write(to: ring)
        let recovered = try TrailStore.recover(path: path)
        #expect(recovered.first?.torn == 1)
        #expect(try trail.rows("SELECT count(*) FROM events WHERE kind = 'torn'").first?[0] == 1)
        let problems = try trail.rows("SELECT * FROM problems").map(\.description)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("never finished") == true)
        #expect(try TrailVerifier(path: path).run().finding?.message == nil)
        try Reindex.run(path)
        #expect(try trail.rows("SELECT * FROM problems").map(\.description) == problems)
        #expect(try TrailVerifier(path: path).run().finding?.message == nil)
    }

    @Test("Numbers that the drain had taken for itself and not stored are said to be lost, once, and are no problem")
    func unwritten() async throws {
        let trail = try TemporaryTrail()
        let path = trail.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let trail = try TrailStore(
                path: path,
                app: "shop",
                configuration: .init(durability: .group(.seconds(3600)))
            )
            let app = App("shop", recorder: trail.recorder)
            withAppContext(app) { _ in }
            await trail.flush()
            // As the drain does for an event of its own; the process dies before it is stored.
            _ = trail.recorder.claimNumber()
            withAppContext(app) { $0.g["n"] = 1 }
            _ = trail.recorder.claimNumber()
            kill(getpid(), SIGKILL)
        }
        let recovered = try TrailStore.recover(path: path)
        #expect(recovered.first?.unwritten == 2)
        #expect(recovered.first?.dropped == 0)
        let drops = try trail.rows(
            "SELECT detail ->> '$.count' AS count, detail ->> '$.cause' AS cause FROM events WHERE kind = 'drop'"
        )
        #expect(drops.map { $0["count"] as Int64 } == [2])
        #expect(drops.map { $0["cause"] as String } == ["unwritten"])
        // What the numbers say and what the rows say is the same.
        #expect(try trail.rows("SELECT max(seq) - count(*) FROM events").first?[0] == 2)
        #expect(try trail.rows("SELECT count(*) FROM problems").first?[0] == 0)
        #expect(try TrailVerifier(path: path).run().finding?.message == nil)
        try Reindex.run(path)
        #expect(try trail.rows("SELECT count(*) FROM problems").first?[0] == 0)
        #expect(try TrailVerifier(path: path).run().finding?.message == nil)
    }

    @Test("A ring that cannot be read stays where it is, and the run is marked all the same")
    func unreadable() async throws {
        let trail = try TemporaryTrail()
        let path = trail.path
        try FileManager.default.createDirectory(atPath: "\(path)-rings", withIntermediateDirectories: true)
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in Self.die(at: path) }
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: "\(path)-rings").first)
        try Data("no ring".utf8).write(to: URL(fileURLWithPath: "\(path)-rings/\(name)"))
        let recovered = try TrailStore.recover(path: path)
        #expect(recovered.first?.failure?.contains("no ring") == true)
        #expect(recovered.first?.events == 0)
        #expect(try trail.rows("SELECT end_state FROM runs").map { $0[0] as String } == ["crashed"])
        #expect(FileManager.default.fileExists(atPath: "\(path)-rings/\(name)"))
    }

    @Test("A ring directory that is not there is no reason to stop: the ring is put elsewhere")
    func missingDirectory() throws {
        let trail = try TemporaryTrail()
        let store = try TrailStore(path: trail.path, app: "shop", configuration: .init(ringDirectory: "/absent"))
        let ring = try #require(store.ringPath)
        #expect(!ring.hasPrefix("/absent"))
        #expect(FileManager.default.fileExists(atPath: ring))
        store.close()
        #expect(!FileManager.default.fileExists(atPath: ring))
    }
}
