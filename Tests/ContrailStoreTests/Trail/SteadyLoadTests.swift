// Flushing and closing while others record without a pause.

import ContrailRecorder
import ContrailStore
import Foundation
import GRDB
import Synchronization
import Testing

@Suite("A drain under steady load")
struct SteadyLoadTests {
    /// Records without a pause, as long as the recorder is on, until it is told to stop.
    private final class Writer: Sendable {
        private let isStopping = Mutex(false)
        private let hasStopped = DispatchSemaphore(value: 0)

        init(_ recorder: FlightRecorder) {
            Thread.detachNewThread { [self] in
                while !self.isStopping.withLock({ $0 }) {
                    // As everybody does who records: after closing, there is at most the record that was under way.
                    guard recorder.isRecording else { continue }
                    recorder.recordRecycle(RecordHead(epoch: 2), before: 1, variablesDropped: 0)
                }
                self.hasStopped.signal()
            }
        }

        func stop() {
            self.isStopping.withLock { $0 = true }
            self.hasStopped.wait()
        }
    }

    @Test("Flushing does not wait for those who record on and on", .timeLimit(.minutes(5)))
    func flush() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open()
        let writer = Writer(trail.recorder)
        trail.recorder.recordMark(RecordHead(), name: "before", site: Site())
        await trail.flush()
        let marks = try directory.rows("SELECT count(*) FROM events WHERE kind IN ('mark', 'drop')").first?[0] as Int64?
        #expect(marks ?? 0 > 0)
        writer.stop()
        trail.close()
    }

    @Test(
        "Closing ends in time, and what was recorded is stored, counted, or still in the ring",
        .timeLimit(.minutes(5))
    )
    func close() throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open(capacity: 65_536)
        let writer = Writer(trail.recorder)
        trail.close()
        writer.stop()
        let accounting = trail.recorder.accounting
        #expect(accounting.produced >= accounting.stored + accounting.dropped)
        let state = try directory.rows("SELECT end_state FROM runs").first?[0] as String?
        // A run that is called clean has nothing left in its ring.
        let isGone = trail.ringPath.map { !FileManager.default.fileExists(atPath: $0) } ?? true
        #expect(isGone == (state == "clean"))
        if state == "clean" { #expect(trail.recorder.slotsInUse <= 8) }
        if let ring = trail.ringPath { try? FileManager.default.removeItem(atPath: ring) }
    }
}
