// One side of the comparison: the recorder's buffer is filled while the drain sleeps, then the drain is timed.

import ContextVariables
import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import HTTPTypes

/// A trail whose drain stores a full buffer at a time.
final class DrainedTrail {
    private let path: String
    private let events: Int
    private let trail: TrailStore
    private let app: App
    private var number = 0
    private var stored: UInt64 = 0

    convenience init(path: String, events: Int, isChained: Bool, cap: Int?) throws {
        // The drain wakes when it is asked to.
        let trail = try TrailStore(
            path: path,
            app: "bench",
            configuration: TrailStore.Configuration(
                recorder: FlightRecorder.Configuration(capacity: 1 << 20),
                durability: .group(.seconds(3600)),
                integrity: isChained ? .chained : .off,
                retention: TrailStore.Retention(cap: cap)
            )
        )
        try self.init(trail, path: path, events: events)
    }

    /// Of a trail that is open.
    init(_ trail: TrailStore, path: String, events: Int = 0) throws {
        self.path = path
        self.events = min(events, 500_000)
        self.trail = trail
        self.app = App("bench", recorder: self.trail.recorder)
        try self.app.teardownAppContext("close_connection") { _, _ in }
        try self.app.teardownRequest("release_stock") { _, _ in }
    }

    /// How many events it has.
    var count: Int { Int(self.trail.recorder.accounting.stored) }

    /// How many requests it has; each has two contexts.
    var requests: Int { self.number }

    /// The id of a request.
    static func requestID(_ number: Int) -> String { String(format: "%032x", number) }

    /// The longest that retention has kept the drain from writing.
    var longestPause: Duration { self.trail.status.longestRetentionPause }

    /// Fills the buffer with so many events, all that it holds unless told, and times the drain.
    func turn(events: Int? = nil) async throws -> Turn {
        await self.trail.flush()
        let before = self.trail.recorder.accounting
        while self.trail.recorder.accounting.produced < before.produced + UInt64(events ?? self.events) - 1000 {
            for _ in 0..<100 { try self.request() }
        }
        let waiting = self.trail.recorder.accounting.buffered
        let turn = await Turn.measure {
            await self.trail.flush()
            return Int(waiting)
        }
        guard self.trail.recorder.accounting.dropped == 0 else { throw Dropped() }
        return turn
    }

    /// Stores events until it has so many.
    func grow(to size: Int) async throws {
        while self.count < size { _ = try await self.turn(events: min(self.events, max(size - self.count, 2000))) }
    }

    func close() {
        self.trail.close()
        self.stored = self.trail.recorder.accounting.stored
    }

    func bytesPerEvent() throws -> Double {
        let size = try FileManager.default.attributesOfItem(atPath: self.path)[.size] as? Int ?? 0
        return Double(size) / Double(self.stored)
    }

    /// One request: nine events or ten.
    func request() throws {
        self.number += 1
        let number = self.number
        let worker = Worker(kind: "conn", number: Int64(number % 8))
        self.app.recycle(worker)
        try withAppContext(self.app, worker: worker) { appContext in
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(number % 10_000)?x=1")
            let requestID = Self.requestID(number)
            let context = App.RequestContext(self.app, head, endpoint: "/orders/{id}", requestID: requestID)
            try context.push()
            appContext.g["order_id"] = number
            if number % 2 == 1 { appContext.g["total"] = number % 977 }
            try context.pop(outcome: .ok)
        }
    }
}

/// The buffer was too small for a turn.
private struct Dropped: Error {}
