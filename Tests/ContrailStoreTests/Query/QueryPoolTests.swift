// A pool of sandboxed connections under many callers.

import Foundation
import Testing

@testable import ContrailStore

private let endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c"

@Suite("Query pool")
struct QueryPoolTests {
    private func code(_ body: () async throws -> some Any) async -> StoreError.Code? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? StoreError)?.code
        }
    }

    @Test("many callers share two connections, and each gets its own answer")
    func many() async throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for id in 1...30 {
                group.addTask {
                    let result = try await pool.run(
                        "SELECT id FROM events WHERE id = :id",
                        parameters: ["id": .integer(Int64(id))]
                    )
                    #expect(result.rows == [[.integer(Int64(id))]])
                }
            }
            try await group.waitForAll()
        }
        pool.close()
    }

    @Test("cancelling the task stops the running query and the waiting one")
    func cancellation() async throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path, connections: 1)
        let limits = QueryLimits(time: .seconds(10))
        let tasks = (0..<2).map { _ in Task { await self.code { try await pool.run(endless, limits: limits) } } }
        for task in tasks { task.cancel() }
        for task in tasks { #expect(await task.value == .queryCancelled) }
        #expect(try await pool.run("SELECT 1").rows == [[1]])
    }

    @Test("a query that runs already is stopped by its cancellation")
    func running() throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let connection = try trail.connection()
        let cancellation = QueryCancellation()
        let sink = DispatchQueue(label: "cancel")
        let started = ContinuousClock.now
        sink.async { cancellation.cancel() }
        let verdict = ContrailStoreTests.code {
            try connection.run(endless, limits: QueryLimits(time: .seconds(10)), cancellation: cancellation)
        }
        #expect(verdict == .queryCancelled)
        #expect(ContinuousClock.now - started < .seconds(5))
    }

    @Test("one query more than may wait is refused")
    func full() async throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path, connections: 1)
        let count = 1 + QueryPool.mostWaiting + 5
        // Ahead of the tests beside it: the running query has a limit of its own.
        let codes = await Task(priority: .high) {
            await withTaskGroup(of: StoreError.Code?.self) { group in
                for _ in 0..<count {
                    group.addTask {
                        await self.code { try await pool.run(endless, limits: QueryLimits(time: .seconds(10))) }
                    }
                }
                var codes: [StoreError.Code?] = []
                for await code in group {
                    codes.append(code)
                    // The surplus is refused at once; then the rest need not run to its end.
                    if codes.count == 5 { pool.close() }
                }
                return codes
            }
        }
        .value
        #expect(codes.count { $0 == .queryQueueFull } == 5)
        #expect(codes.count { $0 == .queryCancelled } == count - 5)
        #expect(await self.code { try await pool.run("SELECT 1") } == .queryCancelled)
    }

    @Test("a connection serves on after an error, and opens anew when the file was replaced")
    func reuse() async throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path, connections: 1)
        #expect(
            await self.code { try await pool.run(endless, limits: QueryLimits(time: .milliseconds(20))) }
                == .queryTimeout
        )
        #expect(try await pool.run("SELECT count(*) FROM runs").rows == [[1]])
        let other = try QueryTrail(rows: false)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: trail.path + suffix) }
        #expect(await self.code { try await pool.run("SELECT 1") } == .inaccessible)
        try other.write("PRAGMA wal_checkpoint(TRUNCATE)")
        try FileManager.default.copyItem(atPath: other.path, toPath: trail.path)
        #expect(try await pool.run("SELECT count(*) FROM runs").rows == [[0]])
    }

    @Test("a writer and readers do not disturb each other")
    func writer() async throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path)
        let readers = (0..<2).map { _ in
            Task {
                var last: Int64 = 0
                for _ in 0..<100 {
                    let result = try await pool.run("SELECT count(*), max(id) FROM events")
                    guard case .integer(let count) = result.rows[0][0] else { return false }
                    if count < last || result.rows[0][0] != result.rows[0][1] { return false }
                    last = count
                }
                return true
            }
        }
        for seq in 3000..<3300 {
            try trail.write("INSERT INTO event (shift, at, kind, lane) VALUES (0, \(seq), 20, 1)")
        }
        for reader in readers { #expect(try await reader.value) }
        #expect(try await pool.run("SELECT count(*) FROM events").rows == [[2700]])
    }

    @Test("a caller that is not asynchronous gets the same answer")
    func synchronous() throws {
        let trail = try QueryTrail()
        defer { withExtendedLifetime(trail) {} }
        let pool = QueryPool(path: trail.path)
        #expect(try pool.runSynchronously("SELECT count(*) FROM contexts").rows == [[400]])
        #expect(ContrailStoreTests.code { try pool.runSynchronously("SELECT * FROM run") } == .queryDenied)
    }
}
