// Erasing a value while its service goes on.

import Contrail
import ContrailRecorder
import ContrailStore
import Foundation
import Testing

@Suite("Erasing a value of a trail that is being written")
struct ErasureTests {
    private func files(with text: String, _ directory: TemporaryTrail, _ trail: TrailStore) throws -> [String] {
        var files = try directory.contents()
        if let ring = trail.ringPath { files["ring"] = try Data(contentsOf: URL(fileURLWithPath: ring)) }
        return files.filter { $0.value.range(of: Data(text.utf8)) != nil }.keys.sorted()
    }

    @Test("what was recorded before and not committed is waited for, and no byte of the value is left anywhere")
    func running() async throws {
        let directory = try TemporaryTrail()
        let trail = try directory.open { $0.durability = .group(.milliseconds(500)) }
        let app = App("shop", recorder: trail.recorder)
        let name = "Ann of Green Gables"
        withAppContext(app) { $0.g["customer"] = name }
        await trail.flush()
        withAppContext(app) { context in
            context.g["customer"] = name
            context.g["other"] = "Gilbert Blythe"
        }
        #expect(try self.files(with: name, directory, trail).contains("ring"))
        let path = directory.path
        // Its wait must not keep the drain's tests from running.
        let report = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try Erasure(path: path).run(key: "customer", equals: name) })
            }
        }
        #expect(report.erased == 4)
        #expect(report.isLogEmpty)
        #expect(report.waitingRings == [])
        #expect(try self.files(with: name, directory, trail) == [])
        #expect(try self.files(with: "Gilbert Blythe", directory, trail) == ["contrail.sqlite"])
        // The service goes on, and its chain with it.
        withAppContext(app) { $0.g["customer"] = "Diana Barry" }
        trail.close()
        let verified = try TrailVerifier(path: path).run()
        #expect(verified.finding == nil)
        #expect(verified.erased == 4)
        #expect(try directory.integer("SELECT count(*) FROM contexts WHERE outcome = 'ok'") == 3)
    }
}
