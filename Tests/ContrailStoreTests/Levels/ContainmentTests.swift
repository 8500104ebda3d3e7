// Values whose encoding throws, hangs or records: each costs itself and nothing else.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Synchronization
import Testing

@Suite("The containment of values")
struct ContainmentTests {
    struct Throwing: Encodable, Sendable {
        func encode(to encoder: any Encoder) throws { throw CancellationError() }
    }

    /// Never ends before it is told to.
    struct Hanging: Encodable, Sendable {
        let end: DispatchSemaphore
        let begun = Flag()

        func encode(to encoder: any Encoder) throws {
            self.begun.state.withLock { $0 += 1 }
            self.end.wait()
        }
    }

    final class Flag: Sendable {
        let state = Mutex(0)
    }

    /// Sets a value of its own kind while it is encoded.
    struct Recording: Encodable, Sendable {
        let context: AppContext

        func encode(to encoder: any Encoder) throws { self.context.g["again"] = Recording(context: self.context) }
    }

    struct ThrowingObject: TrailEncodable {
        let context: AppContext

        func encodeForTrail(to encoder: any Encoder) throws {
            self.context.g["inner"] = ["a": 1]
            throw CancellationError()
        }
    }

    private func lost(_ directory: TemporaryTrail) throws -> [String?] {
        try directory.texts("SELECT name || ' ' || (detail ->> '$.reason') FROM events WHERE kind = 'payload_lost'")
    }

    @Test("an encoding that throws leaves a description and a payload_lost of the same context")
    func throwing() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["bad"] = Throwing()
            context.g["good"] = [1, 2]
            context.g.pop("bad", default: nil)
        }
        trail.close()
        #expect(try self.lost(directory) == ["bad threw"])
        #expect(
            try directory.texts("SELECT fidelity FROM g_versions ORDER BY id") == ["described", "exact"]
        )
        #expect(
            try directory.integer(
                """
                SELECT count(*) FROM events AS l JOIN events AS s ON s.seq = l.detail ->> '$.seq'
                WHERE l.kind = 'payload_lost' AND s.kind = 'g_set' AND s.context_id = l.context_id
                """
            ) == 1
        )
    }

    @Test("an encoding that hangs costs its value, and the drain goes on", .timeLimit(.minutes(5)))
    func hanging() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        let hanging = Hanging(end: DispatchSemaphore(value: 0))
        let app = App("shop", recorder: trail.recorder)
        withAppContext(app) { context in
            context.g["stuck"] = hanging
            context.g["good"] = [1, 2]
            context.g.pop("stuck", default: nil)
        }
        await trail.flush()
        #expect(try self.lost(directory) == ["stuck took too long"])
        #expect(try directory.texts("SELECT fidelity FROM g_versions ORDER BY id") == ["described", "exact"])
        // While one of the type stands still no other is tried.
        withAppContext(app) { $0.g["stuck"] = hanging }
        await trail.flush()
        #expect(hanging.begun.state.withLock { $0 } == 1)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 2)
        hanging.end.signal()
        trail.close()
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean"])
    }

    @Test("an encoding that records ends, and costs its value")
    func reentering() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["first"] = Recording(context: context)
            context.g.pop("first", default: nil)
        }
        // A recorder that is being closed records nothing, so nothing would be re-entered.
        await trail.flush()
        trail.close()
        #expect(try self.lost(directory).contains("first re-entered the recorder"))
        #expect(try directory.integer("SELECT count(*) FROM events WHERE kind = 'g_set'") ?? 99 < 5)
        #expect(try directory.texts("SELECT end_state FROM runs") == ["clean"])
    }

    @Test("an object that throws and records while it is set does not stop the caller")
    func object() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        trail.recorder.level = .full
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            context.g["outer"] = ThrowingObject(context: context)
            #expect(context.g.names == ["inner", "outer"])
            context.g.pop("outer", default: nil)
        }
        trail.close()
        #expect(try self.lost(directory) == ["outer re-entered the recorder"])
    }

    @Test("what waits is bounded: the oldest values give way, and the drain says which")
    func bounded() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 32_768, interval: .seconds(600))
        trail.recorder.level = .full
        // From now on the drain sleeps until it is asked.
        await trail.flush()
        let count = PayloadDesk.capacity + 100
        withAppContext(App("shop", recorder: trail.recorder)) { context in
            for number in 0..<count { context.g["list"] = [number] }
            context.g.pop("list", default: nil)
        }
        await trail.flush()
        trail.close()
        let lost = try directory.integer(
            "SELECT sum(ifnull(detail ->> '$.count', 1)) FROM events WHERE kind = 'payload_lost'"
        )
        #expect(try directory.integer("SELECT count(*) FROM g_versions WHERE fidelity = 'described'") == lost)
        #expect(lost ?? 0 >= 100)
        let first = try directory.texts(
            "SELECT detail ->> '$.reason' FROM events WHERE kind = 'payload_lost' ORDER BY id LIMIT 1"
        )
        #expect(first == ["no longer there"])
    }
}
