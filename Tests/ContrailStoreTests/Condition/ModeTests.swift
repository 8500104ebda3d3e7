// The modes in which a trail is written.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import ProcessSupport
import Testing

@Suite("The modes", .timeLimit(.minutes(5)))
struct ModeTests {
    private static let modes: [TrailStore.Durability] = [.ring, .group(.milliseconds(5)), .full]

    @Test("Each has a name with its interval, and an interval in range")
    func names() {
        #expect(Self.modes.map(\.description) == ["ring", "group(5)", "full"])
        #expect(TrailStore.Durability.group == .group(.milliseconds(25)))
        #expect(TrailStore.Durability.group(.zero).interval == .milliseconds(1))
        #expect(TrailStore.Durability.ring.interval > TrailStore.Durability.group.interval)
    }

    @Test("In each, flush returns when everything is committed, and the account closes", arguments: modes)
    func flush(_ mode: TrailStore.Durability) async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open { $0.durability = mode }
        for _ in 0..<100 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
        await trail.flush()
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 100)
        #expect(trail.status.durability == mode)
        #expect(trail.status.lag == .zero)
        trail.close()
        try directory.expectClosedAccount(trail)
    }

    @Test("In each, what was recorded before SIGKILL is in the trail after the next start", arguments: modes)
    func killed(_ mode: TrailStore.Durability) async throws {
        let directory = try TemporaryTrail()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = directory.path as String, mode = mode.description as String] in
            let mode = try #require(Self.modes.first { $0.description == mode })
            let configuration = TrailStore.Configuration(durability: mode)
            let trail = try TrailStore(path: path, app: "shop", configuration: configuration)
            let app = App("shop", recorder: trail.recorder)
            for _ in 0..<5000 { withAppContext(app) { $0.g["n"] = 1 } }
            kill(getpid(), SIGKILL)
        }
        let recovered = try TrailStore.recover(path: directory.path)
        #expect(recovered.first?.torn == 0)
        #expect(recovered.first?.dropped == 0)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 5000)
        #expect(try directory.integer("SELECT max(seq) - count(*) FROM events") == 0)
        #expect(try directory.texts("PRAGMA integrity_check") == ["ok"])
    }

    @Test("A ring that fills is drained before its interval is over")
    func filling() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open {
            $0.recorder.capacity = 1024
            $0.durability = .group(.seconds(60))
        }
        await trail.flush()
        let stored = trail.recorder.accounting.stored
        for _ in 0..<200 { withAppContext(App("shop", recorder: trail.recorder)) { _ in } }
        try await eventually("the ring is drained", within: .seconds(30)) {
            trail.recorder.accounting.stored > stored ? () : nil
        }
        trail.close()
        try directory.expectClosedAccount(trail)
    }
}
