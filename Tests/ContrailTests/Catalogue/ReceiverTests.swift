// How receivers are connected, and for how long.

import Contrail
import HTTPTypes
import Testing

@Suite("Receivers")
struct ReceiverTests {
    private let app = Desk().app
    private let log = Log()
    private let signal = Signals.gotRequestException

    @Test("SIG-04: a receiver is kept until it is disconnected, whether or not anybody else holds it.")
    func kept() throws {
        final class Listener: Sendable {}
        weak var listener: Listener?
        let connection: Signal<any Error>.Connection
        do {
            let held = Listener()
            listener = held
            connection = self.signal.connect(to: self.app) { [log] _, _ in
                withExtendedLifetime(held) { log.add("called") }
            }
        }
        #expect(listener != nil)
        try self.signal.send(from: self.app, Boom())
        #expect(self.log.lines == ["called"])
        self.signal.disconnect(connection)
        #expect(listener == nil)
    }

    @Test("SIG-07: a receiver that is connected for a closure is disconnected also when the closure throws.")
    func connectedForClosure() throws {
        let log = self.log
        #expect(throws: Boom(name: "inside")) {
            try self.signal.connected(
                to: self.app,
                { _, error in log.add("\(error)") },
                during: { () throws in
                    try self.signal.send(from: self.app, Boom(name: "first"))
                    throw Boom(name: "inside")
                }
            )
        }
        try self.signal.send(from: self.app, Boom(name: "second"))
        #expect(log.lines == ["first"])
    }

    @Test("SIG-07: a muted signal calls nobody until the closure ends.")
    func muted() async {
        // In a process of its own: muting reaches everybody who uses the signal.
        await #expect(processExitsWith: .success) {
            let app = App("muted")
            let log = Log()
            let signal = Signals.requestFinished
            signal.connect(to: app) { _, head in log.add("\(head.status.code)") }
            try signal.muted { () throws in try signal.send(from: app, App.Response(status: .ok).head) }
            try signal.send(from: app, App.Response(status: .notFound).head)
            #expect(log.lines == ["404"])
        }
    }
}
