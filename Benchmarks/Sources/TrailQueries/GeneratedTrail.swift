// A trail of many requests, written by the real recorder and drain.

import ContextVariables
import Contrail
import ContrailStore
import Foundation
import HTTPTypes

/// What was generated, with the values that the questions ask for.
struct GeneratedTrail {
    /// How it went, for people.
    let summary: String
    /// The id of a request in the middle.
    let requestID: String
    /// A path that many requests have.
    let path: String
    /// A date in the middle, in UTC microseconds.
    let middle: Int64

    /// The trail is asked while it is open, as in a service that runs: closing it would end what is open.
    private let trail: TrailStore
    private let open: [App.RequestContext]

    private struct Failure: Error {}

    init(path file: String, events: Int) async throws {
        let trail = try TrailStore(path: file, app: "bench", configuration: .init(retention: .unlimited))
        let app = App("bench", recorder: trail.recorder)
        try app.teardownAppContext("close_connection") { _, _ in }
        try app.teardownRequest("release_stock") { _, _ in }
        let start = ContinuousClock.now
        let began = Date()
        var number = 0
        let worker = Worker(kind: "bench", number: 0)
        while trail.recorder.accounting.produced < events {
            for _ in 0..<500 {
                number += 1
                try Self.request(number, app, worker)
            }
            if trail.recorder.accounting.buffered > trail.recorder.capacity / 2 { await trail.flush() }
        }
        let open = Self.leaveOpen(app)
        await trail.flush()
        let elapsed = ContinuousClock.now - start
        let accounting = trail.recorder.accounting
        let seconds = elapsed / .seconds(1)
        self.trail = trail
        self.open = open
        let size = ["", "-wal"].compactMap {
            try? FileManager.default.attributesOfItem(atPath: file + $0)[.size] as? Int
        }
        .reduce(0, +)
        self.summary = String(
            format: "%llu events in %.1f s: %.0f a second, %.1f bytes an event, %llu dropped",
            accounting.stored,
            seconds,
            Double(accounting.stored) / seconds,
            Double(size) / Double(accounting.stored),
            accounting.dropped
        )
        self.requestID = Self.requestID(number / 2)
        self.path = "/orders/4242"
        self.middle = Int64(began.timeIntervalSince1970 * 1_000_000 + seconds * 500_000)
    }

    /// One request: nine events, and a problem now and then.
    private static func request(_ number: Int, _ app: App, _ worker: Worker) throws {
        app.recycle(worker)
        try withAppContext(app, worker: worker) { appContext in
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(number % 10_000)?x=1")
            let context = App.RequestContext(app, head, endpoint: "/orders/{id}", requestID: Self.requestID(number))
            try context.push()
            appContext.g["order_id"] = number
            if number % 1000 == 0 { try? AppContext(app).pop() }
            try context.pop(outcome: number % 50 == 0 ? .failed(Failure()) : .ok)
        }
    }

    /// Two hundred contexts that nobody pops: they are open until the process ends.
    private static func leaveOpen(_ app: App) -> [App.RequestContext] {
        let contexts = (0..<200).map { number in
            let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/open/\(number)")
            return App.RequestContext(app, head, requestID: "open-\(number)")
        }
        // A bare thread holds them, and does not end: its leftovers would be torn down.
        let pushed = DispatchSemaphore(value: 0)
        let thread = Thread {
            for context in contexts { try? context.push() }
            pushed.signal()
            DispatchSemaphore(value: 0).wait()
        }
        thread.start()
        pushed.wait()
        return contexts
    }

    private static func requestID(_ number: Int) -> String {
        String(format: "%032x", number)
    }
}
