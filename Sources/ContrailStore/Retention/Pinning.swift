// Contexts that retention leaves alone.

private import ContrailRecorder
internal import Foundation
internal import GRDB

/// One wish: that a context be pinned, or that it no longer be.
struct PinChange: Sendable {
    /// The number that stands for the kind `pin`.
    private static let kind: Int64 = 29

    let contextID: Int64
    let isPinned: Bool

    /// Does it, with an event that says so. Asks for the event's number only when there is something to do: what is as it should
    /// be already stays so. Throws ``StoreError`` with `unknownContext`. In the caller's transaction.
    func apply(_ database: Database, _ writer: inout BatchWriter, at: Int64, seq: () -> UInt64) throws {
        if self.isPinned {
            try database.execute(
                sql: """
                    INSERT OR IGNORE INTO pin (context_id, at, gone_seq)
                    SELECT c.context_id, ?2, r.gone_seq FROM context AS c JOIN run AS r ON r.run_id = c.context_id >> 32
                    WHERE c.context_id = ?1
                    """,
                arguments: [self.contextID, at]
            )
        } else {
            try database.execute(sql: "DELETE FROM pin WHERE context_id = ?", arguments: [self.contextID])
        }
        guard database.changesCount > 0 else {
            let isThere = try Row.fetchOne(
                database,
                sql: "SELECT 1 FROM context WHERE context_id = ?",
                arguments: [self.contextID]
            )
            if isThere != nil { return }
            throw StoreError(
                .unknownContext,
                "the trail has no context \(self.contextID): ask contexts for the ids that it has"
            )
        }
        try writer.write(
            Self.kind,
            seq: Int64(clamping: seq()),
            at: at,
            name: nil,
            context: self.contextID,
            json: #"{"pinned":\#(self.isPinned)}"#,
            database
        )
    }
}

/// Pins contexts of a trail that this process does not write. Others may write it meanwhile.
package struct Pinning {
    private let path: String

    /// Names the trail.
    package init(path: String) {
        self.path = path
    }

    /// Pins a context, or unpins it. Throws ``StoreError`` with `unknownContext`, or as opening the trail for writing does.
    package func set(
        _ contextID: Int64,
        isPinned: Bool,
        integrity: TrailStore.Integrity = .chained
    ) throws(StoreError) {
        try TrailDatabase.checkReadable(self.path)
        let queue = try TrailDatabase.open(path: self.path)
        defer { try? queue.close() }
        // The run records nothing of its own: the smallest ring will do.
        var configuration = TrailStore.Configuration(recorder: .init(capacity: 2))
        configuration.integrity = integrity
        let run = TrailRun(path: self.path, app: "contrail pin", configuration: configuration)
        let at = run.clock.startMicroseconds
        do {
            defer { run.abandon() }
            let runID = try run.begin(in: queue).id
            defer { try? run.markClean(queue, id: runID, at: at) }
            try queue.inTransaction(.immediate) { database in
                var writer = try BatchWriter(database, runID: runID, clock: run.clock, integrity: integrity)
                try PinChange(contextID: contextID, isPinned: isPinned).apply(database, &writer, at: at) { 1 }
                return .commit
            }
        } catch {
            throw StoreError(error, path: self.path)
        }
    }
}

extension TrailStore {
    /// Keeps a context from being dropped by retention: its row, and all of its events that are still there. Those of its parent,
    /// whose `g` it shows, are pinned by pinning the parent.
    ///
    /// Waits until that is committed; pinning what is pinned does nothing. Throws ``StoreError`` with `unknownContext`, with
    /// `inaccessible` when the trail was closed, or with what the database reports.
    public func pin(_ contextID: Int64) async throws(StoreError) {
        try await self.drain.perform(PinChange(contextID: contextID, isPinned: true)).get()
    }

    /// Lets retention drop a context when its time has come. Throws as ``pin(_:)`` does.
    public func unpin(_ contextID: Int64) async throws(StoreError) {
        try await self.drain.perform(PinChange(contextID: contextID, isPinned: false)).get()
    }
}
