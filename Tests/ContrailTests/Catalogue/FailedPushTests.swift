// Pushes that fail on the way.

import Contrail
import ContrailRecorder
import HTTPTypes
import Synchronization
import Testing

@Suite("Pushes that fail")
struct FailedPushTests {
    /// A store that opens nothing.
    private struct Closed: SessionInterface {
        func openSession(_ app: App, _ context: App.RequestContext) throws -> App.Session? { throw Boom() }

        func saveSession(_ session: App.Session, _ context: App.RequestContext, into fields: inout HTTPFields) throws {
            Issue.record("saved")
        }
    }

    private let log = Log()

    @Test("REQ-11: a push whose session does not open leaves neither of the two contexts, and may be repeated.")
    func byHand() throws {
        let app = App("closed", sessions: Closed())
        let log = self.log
        try app.teardownAppContext("app") { _, outcome in log.add("app \(outcome.text)") }
        try app.teardownRequest("request") { _, outcome in log.add("request \(outcome.text)") }
        try withAppContext(Desk().app) { outer throws in
            let context = App.RequestContext(app, get())
            for _ in 1...2 {
                #expect(throws: Boom()) { try context.push() }
                #expect(!context.isPushed)
                #expect(!hasRequestContext())
                #expect(Current.context === outer)
            }
        }
        #expect(log.lines == ["app failed boom", "app failed boom"])
    }

    @Test("A receiver that comes while the contexts are made, and throws, leaves no push without a pop.")
    func lateReceiver() async throws {
        let recorder = FlightRecorder()
        let connection = Mutex<Signal<Void>.Connection?>(nil)
        let app = App(
            "late",
            recorder: recorder,
            namespace: {
                connection.withLock { connection in
                    guard connection == nil else { return }
                    connection = Signals.appContextPushed.connect { sender, _ in
                        if sender.name == "late" { throw Boom() }
                    }
                }
                return 1
            }
        )
        // In a task of its own, with nothing around.
        await Task.detached {
            _ = #expect(throws: Boom()) { try withRequestContext(app, get()) { _ throws in } }
        }.value
        connection.withLock { if let connection = $0 { Signals.appContextPushed.disconnect(connection) } }
        var kinds: [EventKind] = []
        while let event = recorder.takeEvent() { kinds.append(event.kind) }
        #expect(kinds == [.appPush, .signalFailed, .appPop])
    }

    @Test("REQ-11: a closure form whose session does not open leaves nothing, and does not run the closure.")
    func closureForm() throws {
        let app = App("closed", sessions: Closed())
        #expect(throws: Boom()) {
            try withRequestContext(app, get()) { _ throws in Issue.record("run") }
        }
        #expect(!hasAppContext())
    }

    @Test("REQ-12: a receiver that refuses the app context of a request makes a plain 500, and nothing is left.")
    func dispatched() throws {
        let app = App("refused")
        try app.route("/") { _ in "never" }
        let response = try Signals.appContextPushed.connected(
            to: app,
            { _, _ in throw Boom() },
            during: { () throws in try app.dispatch(get("/")) }
        )
        #expect(response.status == .internalServerError)
        #expect(!hasAppContext())
        #expect(!hasRequestContext())
    }
}
