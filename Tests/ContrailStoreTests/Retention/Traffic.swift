// Requests, as a service under load has them.

import Contrail
import ContrailRecorder
import ContrailStore
import HTTPTypes

/// Work that fills a trail.
struct Traffic {
    let trail: TrailStore
    let app: App

    init(_ trail: TrailStore) throws {
        self.trail = trail
        self.app = App("shop", recorder: trail.recorder)
        try self.app.teardownRequest("note") { _, _ in }
    }

    /// Some nine events: two contexts, a value of g, a hook, two snapshots.
    func request(_ number: Int) {
        let head = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/\(number)/lines")
        withRequestContext(self.app, head) { context in
            context.appContext?.g["order"] = number
        }
    }

    /// Requests as fast as they can be recorded, whether or not the drain keeps up. Others get their turn in between.
    func burst(_ numbers: Range<Int>) async {
        for number in numbers {
            self.request(number)
            if number % 20 == 0 { await Task.yield() }
        }
    }

    /// Requests one after another, and waits for the drain as often as its ring is half full.
    func requests(_ numbers: Range<Int>) async {
        for number in numbers {
            self.request(number)
            if self.trail.recorder.slotsInUse > self.trail.recorder.capacity / 2 { await self.trail.flush() }
        }
        await self.trail.flush()
    }
}
