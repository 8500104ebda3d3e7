// Values and texts of the higher levels come out of the ring as they went in.

import ContrailRecorder
import Testing

@Suite("Records of payloads")
struct PayloadRecordTests {
    struct Point: Encodable, Sendable {
        let x = 1
    }

    final class Object: Sendable {}

    private func value(_ kept: (FlightRecorder) -> RecordedValue) throws -> RecordedValue? {
        let recorder = FlightRecorder()
        recorder.recordDrawn(RecordHead(), name: recorder.name("it"), type: "Kind", value: kept(recorder))
        guard case .drawn("it", "Kind", let value)? = recorder.takeEvent()?.body else { return nil }
        return value
    }

    @Test("a value that waits keeps its type, its size and its ticket")
    func waiting() throws {
        let recorder = FlightRecorder()
        let kept = recorder.keptValue([Point(), Point()])
        guard case .waiting(let type, let size, let ticket) = kept else {
            Issue.record("\(kept)")
            return
        }
        #expect(type.hasPrefix("Swift.Array<"))
        #expect(size == 2)
        #expect(try self.value { _ in kept } == kept)
        #expect(recorder.payloads.take(ticket) != nil)
        #expect(recorder.payloads.take(ticket) == nil)
        #expect(try self.value { $0.keptValue(Point()) } != nil)
    }

    @Test("an object keeps its identity, and small values are themselves")
    func others() throws {
        let object = Object()
        let identity = UInt64(UInt(bitPattern: ObjectIdentifier(object)))
        guard case .object(_, identity)? = try self.value({ $0.keptValue(object) }) else {
            Issue.record("no object")
            return
        }
        #expect(try self.value { $0.keptValue(7) } == .integer(7))
        #expect(try self.value { $0.keptValue(nil) } == .null)
        #expect(try self.value { $0.keptValue(Secret("x")) } == .redacted)
    }

    @Test("JSON of requests and responses comes out whole, up to the most that a record takes")
    func json() throws {
        let recorder = FlightRecorder()
        let json = "\"" + String(repeating: "ä", count: recorder.mostJSON / 2 - 1) + "\""
        recorder.recordInput(RecordHead(), json: json)
        recorder.recordOutput(RecordHead(), json: "{}")
        guard case .requestInput(json)? = recorder.takeEvent()?.body else {
            Issue.record("no request")
            return
        }
        guard case .responseOutput("{}")? = recorder.takeEvent()?.body else {
            Issue.record("no response")
            return
        }
    }
}
