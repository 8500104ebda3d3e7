// A trail with rows of every kind, small enough that each of its bits can be turned.

internal import Contrail
internal import ContrailRecorder
package import ContrailStore
internal import Foundation
internal import HTTPTypes
internal import Logging

/// A trail in a folder, closed and as it was written.
package struct Specimen {
    /// Where it is.
    package let path: String
    /// The key of its chain; nil when it has none.
    package let key: [UInt8]?

    private struct Broken: Error {}

    private var integrity: TrailStore.Integrity { self.key.map { .keyed($0) } ?? .chained }

    /// Writes the trail: so many rounds of contexts in the first run, a run that erases a value, and a third one.
    ///
    /// - Parameter isCut: Whether retention drops the first run, but for a context that is pinned, and as many rounds follow.
    package init(in directory: String, rounds: Int, key: [UInt8]? = nil, isCut: Bool = false) async throws {
        self.path = "\(directory)/contrail.sqlite"
        self.key = key
        let integrity = self.integrity
        let first = try self.open(integrity)
        try await self.fill(first, rounds: rounds)
        if isCut { try await first.pin(1 << 32 + 3) }
        first.close()
        _ = try Erasure(path: self.path).run(key: "mail", equals: "ann@shop.example", integrity: integrity)
        if isCut {
            try await self.cut(integrity)
            let second = try self.open(integrity)
            try await self.fill(second, rounds: rounds)
            second.close()
        }
        let last = try self.open(integrity)
        try await self.fill(last, rounds: 1)
        last.close()
        TrailDatabase.removeIdleIndex(of: self.path)
    }

    /// Takes over a trail that ``die(at:rounds:key:)`` left: what was in its ring is recovered, and another run follows.
    package init(recovering path: String, key: [UInt8]? = nil) async throws {
        self.path = path
        self.key = key
        let next = try self.open(self.integrity)
        try await self.fill(next, rounds: 1)
        next.close()
        TrailDatabase.removeIdleIndex(of: path)
    }

    private init(at path: String, key: [UInt8]?) {
        self.path = path
        self.key = key
    }

    /// Writes a trail, leaves contexts open and events in the ring, and kills the process.
    package static func die(at path: String, rounds: Int, key: [UInt8]? = nil) async throws -> Never {
        let specimen = Specimen(at: path, key: key)
        // Nothing is committed that is not asked for.
        let trail = try specimen.open(specimen.integrity, durability: .group(.seconds(3600)))
        try await specimen.fill(trail, rounds: rounds)
        let app = App("shop", recorder: trail.recorder)
        try await withAppContext(app) { context async throws in
            context.g["order"] = "committed"
            await trail.flush()
            context.g["order"] = "in the ring"
            try App.RequestContext(app, HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/late")).push()
            kill(getpid(), SIGKILL)
        }
        while true { pause() }
    }

    /// What `contrail verify` says of it.
    package func verify() throws(StoreError) -> TrailVerifier.Finding? {
        try TrailVerifier(path: self.path, key: self.key).run().finding
    }

    /// Lets retention drop everything that is older than the run, which leaves a context open.
    private func cut(_ integrity: TrailStore.Integrity) async throws {
        let trail = try self.open(integrity, retention: .init(cap: nil, age: .milliseconds(1)))
        let app = App("shop", recorder: trail.recorder)
        let recorder = trail.recorder
        try await withAppContext(app) { context async throws in
            context.g["job"] = "long"
            // Each batch gives the drain another look at the age of those before.
            for _ in 0..<100 where try RetentionStatus(path: self.path).slices < 2 {
                recorder.recordMark(RecordHead(), name: "tick", site: Site())
                await trail.flush()
            }
        }
        trail.close()
        guard try RetentionStatus(path: self.path).slices > 0 else { throw Broken() }
    }

    private func open(
        _ integrity: TrailStore.Integrity,
        retention: TrailStore.Retention = .unlimited,
        durability: TrailStore.Durability = .group(.milliseconds(2))
    ) throws -> TrailStore {
        var configuration = TrailStore.Configuration(
            recorder: .init(capacity: 8192),
            durability: durability,
            integrity: integrity,
            retention: retention
        )
        configuration.logger = Logger(label: "bitflips") { _ in SwiftLogNoOpLogHandler() }
        return try TrailStore(path: self.path, app: "shop", configuration: configuration)
    }

    private func fill(_ trail: TrailStore, rounds: Int) async throws {
        let app = App("shop", recorder: trail.recorder, recording: .init(level: .replay))
        try app.teardownAppContext("close") { _, outcome in
            if case .failed = outcome { throw Broken() }
        }
        try app.route("/orders/<int:number>", methods: [.post]) { context in
            try Current.g.snapshot("in the middle")
            return "made \(context.viewArgs?["number"]?.description ?? "-")"
        }
        for number in 0..<rounds {
            try? await withAppContext(app) { context async throws in
                context.g["number"] = number
                context.g["share"] = Double(number) / 7
                context.g["isPaid"] = number % 2 == 0
                context.g["mail"] = number % 4 == 1 ? "ann@shop.example" : "bob-\(number)@shop.example"
                context.g["list"] = [number, number + 1]
                context.g["zero"] = "before\u{0}behind \(number)"
                let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(number)?all=1")
                let request = App.RequestContext(app, head, requestID: "r-\(number)")
                try request.push()
                try? await AppContext(app).pop()
                try await request.pop(outcome: .ok)
                trail.recorder.recordMark(RecordHead(), name: "mark \(number % 3)", site: Site())
                if number % 5 == 3 { throw Broken() }
            }
            let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/orders/\(number)")
            _ = try await app.dispatch(head, body: Array("tea for \(number)".utf8))
            // A batch of its own now and then.
            if number % 8 == 7 {
                for _ in 0..<1100 {
                    trail.recorder.recordRecycle(RecordHead(epoch: 1), before: nil, variablesDropped: 0)
                }
            }
            await trail.flush()
        }
    }
}
