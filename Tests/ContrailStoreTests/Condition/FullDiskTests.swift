// No room: for the database, for the log, for the ring; on a real file system, and under the process's own limits.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import ProcessSupport
import Testing

@Suite("A disk that is full", .timeLimit(.minutes(3)))
struct FullDiskTests {
    /// Limits how long files of this process may get, in bytes; nil takes the limit away.
    private static func limitFiles(to bytes: Int?) {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        limit.rlim_cur = bytes.map { rlim_t($0) } ?? limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
    }

    private static func configuration(capacity: Int = 512) -> TrailStore.Configuration {
        var configuration = TrailStore.Configuration(
            recorder: .init(capacity: capacity),
            durability: .group(.milliseconds(5))
        )
        configuration.patience.retry = .milliseconds(20)
        return configuration
    }

    private static func size(of path: String) -> Int {
        (try? FileManager.default.attributesOfItem(atPath: path))?[.size] as? Int ?? 0
    }

    @Test(
        "Beyond the limit on file sizes the process lives, and what does not fit is counted until the limit is raised"
    )
    func fileSizeLimit() async throws {
        let directory = try TemporaryTrail()
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            let trail = try TrailStore(path: path, app: "shop", configuration: Self.configuration())
            let app = App("shop", recorder: trail.recorder)
            withAppContext(app) { _ in }
            await trail.flush()
            Self.limitFiles(to: max(Self.size(of: path), Self.size(of: path + "-wal")))
            withAppContext(app) { _ in }
            let degradation = try await eventually("the drain notices", within: .seconds(20)) {
                trail.status.degradation
            }
            #expect(degradation == .quota)
            for _ in 0..<2000 { withAppContext(app) { $0.g["n"] = 1 } }
            #expect(trail.recorder.accounting.dropped > 0)
            #expect(trail.status.waiting > 0)
            Self.limitFiles(to: nil)
            await trail.flush()
            #expect(trail.status.degradation == nil)
            for _ in 0..<10 { withAppContext(app) { _ in } }
            trail.close()
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored + accounting.dropped)
            let rows = try await SQLiteShell.lines(
                """
                SELECT count(*), (SELECT sum(detail ->> '$.count') FROM events WHERE kind = 'drop'),
                    (SELECT group_concat(DISTINCT detail ->> '$.cause') FROM events WHERE kind = 'drop') FROM events
                """,
                in: path
            )
            #expect(rows == ["\(accounting.stored)|\(accounting.dropped)|quota"])
        }
    }

    @Test("A service that begins without any room records into memory, and into the trail when there is room")
    func atTheBeginning() async throws {
        let directory = try TemporaryTrail()
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            Self.limitFiles(to: 0)
            let trail = try TrailStore(path: path, app: "shop", configuration: Self.configuration(capacity: 4096))
            #expect(trail.status.degradation == .quota)
            #expect(trail.runID == 0)
            #expect(trail.ringPath == nil)
            #expect(trail.status.ring.directory == nil)
            let app = App("shop", recorder: trail.recorder)
            for _ in 0..<500 { withAppContext(app) { _ in } }
            Self.limitFiles(to: nil)
            await trail.flush()
            #expect(trail.status.degradation == nil)
            #expect(trail.runID == 1)
            trail.close()
            #expect(trail.recorder.accounting.dropped == 0)
            let sql = "SELECT count(*), min(seq), max(seq), (SELECT end_state FROM runs) FROM events"
            let produced = trail.recorder.accounting.produced
            #expect(try await SQLiteShell.lines(sql, in: path) == ["\(produced)|1|\(produced)|clean"])
        }
    }

    @Test("A file system that is full, and has room again", .enabled(if: SmallDisk.isPossible, "mounting needs root"))
    func smallFileSystem() async throws {
        try await SmallDisk.with(bytes: 2 << 20) { directory in
            let path = "\(directory)/contrail.sqlite"
            let trail = try TrailStore(path: path, app: "shop", configuration: Self.configuration())
            let app = App("shop", recorder: trail.recorder)
            withAppContext(app) { _ in }
            await trail.flush()
            let filler = try SmallDisk.fill(directory)
            let degradation = try await eventually("the disk is full", within: .seconds(60)) {
                for _ in 0..<100 { withAppContext(app) { $0.g["n"] = 1 } }
                return trail.status.degradation
            }
            #expect(degradation == .diskFull)
            for _ in 0..<2000 { withAppContext(app) { $0.g["n"] = 1 } }
            #expect(trail.recorder.accounting.dropped > 0)
            try FileManager.default.removeItem(atPath: filler)
            await trail.flush()
            #expect(trail.status.degradation == nil)
            trail.close()
            let accounting = trail.recorder.accounting
            #expect(accounting.produced == accounting.stored + accounting.dropped)
            let rows = try await SQLiteShell.lines(
                "SELECT count(*), sum(iif(kind = 'drop', detail ->> '$.count', 0)) FROM events",
                in: path
            )
            #expect(rows == ["\(accounting.stored)|\(accounting.dropped)"])
            #expect(try await SQLiteShell.lines("PRAGMA integrity_check", in: path) == ["ok"])
        }
    }

    @Test("A ring that the system gives no mapping for is a smaller one in memory, and recording goes on")
    func noMapping() async throws {
        let directory = try TemporaryTrail()
        await #expect(processExitsWith: .success) { [path = directory.path as String] in
            let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
            let size = (Int(pages[0]) ?? 0) * 4096
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            limit.rlim_cur = rlim_t(size + (56 << 20))
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            let configuration = Self.configuration(capacity: 1 << 20)
            let trail = try TrailStore(path: path, app: "shop", configuration: configuration)
            limit.rlim_cur = limit.rlim_max
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            #expect(trail.ringPath == nil)
            #expect(trail.recorder.capacity < 1 << 20)
            #expect(trail.recorder.capacity >= 4096)
            for _ in 0..<100 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
            trail.close()
            #expect(trail.recorder.accounting.buffered == 0)
            #expect(
                try await SQLiteShell.lines("SELECT count(*) FROM contexts WHERE outcome = 'ok'", in: path) == ["100"]
            )
        }
    }
}
