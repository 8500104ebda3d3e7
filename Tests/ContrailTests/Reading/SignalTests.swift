// Signals: order, sender, and what a receiver that throws does.

import Contrail
import ContrailRecorder
import Testing

@Suite("Signals")
struct SignalTests {
    private let desk = Desk()
    private let log = Log()

    /// Connects receivers to the app that write down the signals of contexts, for the length of the closure.
    private func logged(_ body: () throws -> Void) rethrows {
        let log = self.log
        let seen: @Sendable () -> String = {
            "\(Current.context == nil ? "-" : "app")/\(Current.requestContext == nil ? "-" : "request")"
        }
        let pushed = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in log.add("pushed \(seen())") }
        let request = Signals.requestTearingDown.connect(to: self.desk.app) { _, outcome in
            log.add("request_tearing_down \(outcome.text) \(seen())")
        }
        let tearing = Signals.appContextTearingDown.connect(to: self.desk.app) { _, outcome in
            log.add("tearing_down \(outcome.text) \(seen())")
        }
        let popped = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in log.add("popped \(seen())") }
        defer {
            Signals.appContextPushed.disconnect(pushed)
            Signals.requestTearingDown.disconnect(request)
            Signals.appContextTearingDown.disconnect(tearing)
            Signals.appContextPopped.disconnect(popped)
        }
        try body()
    }

    @Test("An app context's signals in their order, with what is current in each.")
    func appContext() throws {
        try self.desk.logHooks(self.log, app: ["hook"])
        self.logged { withAppContext(self.desk.app) { _ in self.log.add("body") } }
        #expect(self.log.lines == ["pushed app/-", "body", "hook ok", "tearing_down ok app/-", "popped -/-"])
    }

    @Test("A request's signals in their order: the request is not bound when its app context is pushed or torn down.")
    func request() {
        self.logged { withRequestContext(self.desk.app, get()) { _ in } }
        #expect(
            self.log.lines == [
                "pushed app/-", "request_tearing_down ok app/request", "tearing_down ok app/-", "popped -/-",
            ]
        )
    }

    @Test("By hand it is the same.")
    func imperative() throws {
        try withAppContext(Desk().app) { _ throws in
            try self.logged {
                let request = App.RequestContext(self.desk.app, get())
                try request.push()
                try request.pop()
            }
        }
        #expect(
            self.log.lines == [
                "pushed app/-", "request_tearing_down ok app/request", "tearing_down ok app/-", "popped app/-",
            ]
        )
    }

    @Test("Every push and pop of an app context is announced, tearing down once.")
    func counts() throws {
        try withAppContext(Desk().app) { _ throws in
            try self.logged {
                let context = AppContext(self.desk.app)
                try context.push()
                try context.push()
                try context.pop()
                try context.pop()
            }
        }
        #expect(self.log.lines.map { $0.prefix(6) } == ["pushed", "pushed", "popped", "tearin", "popped"])
    }

    @Test("Receivers run in the order of their connection, for their sender or for all.")
    func order() {
        let log = self.log
        let other = Desk("other")
        let signal = Signals.requestStarted
        let app = self.desk.app
        let connections = [
            signal.connect(to: app) { _, _ in log.add("first") },
            signal.connect(to: other.app) { _, _ in log.add("other") },
            signal.connect { sender, _ in if sender === app { log.add("all") } },
            signal.connect(to: app) { sender, _ in log.add("last \(sender.name)") },
        ]
        defer { for connection in connections { signal.disconnect(connection) } }
        #expect(throws: Never.self) { try signal.send(from: app, ()) }
        #expect(log.lines == ["first", "all", "last orders"])
    }

    @Test("A receiver that was disconnected is not called, and disconnecting twice does nothing.")
    func disconnect() {
        let signal = Signals.requestStarted
        let connection = signal.connect(to: self.desk.app) { _, _ in Issue.record("called") }
        signal.disconnect(connection)
        signal.disconnect(connection)
        #expect(throws: Never.self) { try signal.send(from: self.desk.app, ()) }
    }

    @Test("The first receiver that throws stops the rest.")
    func firstErrorStops() {
        let log = self.log
        let signal = Signals.requestStarted
        let connections = [
            signal.connect(to: self.desk.app) { _, _ in throw Boom() },
            signal.connect(to: self.desk.app) { _, _ in log.add("second") },
        ]
        defer { for connection in connections { signal.disconnect(connection) } }
        #expect(throws: Boom()) { try signal.send(from: self.desk.app, ()) }
        #expect(log.lines.isEmpty)
    }

    @Test("A receiver may connect and disconnect while the signal is sent.")
    func reentrant() {
        let signal = Signals.requestStarted
        let app = self.desk.app
        let connection = signal.connect(to: app) { _, _ in
            let inner = signal.connect(to: app) { _, _ in Issue.record("called") }
            signal.disconnect(inner)
        }
        defer { signal.disconnect(connection) }
        #expect(throws: Never.self) { try signal.send(from: app, ()) }
    }

    @Test("What a receiver captured dies outside the signal's lock: its deinit may disconnect.")
    func captureMayDisconnect() {
        final class Captured: Sendable {
            deinit { Signals.requestStarted.disconnect(Signals.requestStarted.connect { _, _ in }) }
        }
        func connect() -> Signal<Void>.Connection {
            let captured = Captured()
            return Signals.requestStarted.connect(to: self.desk.app) { _, _ in withExtendedLifetime(captured) {} }
        }
        Signals.requestStarted.disconnect(connect())
    }

    @Test("A receiver of appcontext_pushed that throws undoes the push of a closure form: no hook, and failed.")
    func pushedThrowsInClosure() async throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in throw Boom() }
        defer { Signals.appContextPushed.disconnect(connection) }
        #expect(throws: Boom()) {
            try withAppContext(self.desk.app) { _ throws in _ = Issue.record("ran") }
        }
        await #expect(throws: Boom()) {
            try await withRequestContext(self.desk.app, get()) { _ async throws in _ = Issue.record("ran") }
        }
        #expect(self.log.lines.isEmpty)
        #expect(Current.context == nil)
        let events = self.desk.events()
        #expect(events.map(\.kind) == [.appPush, .signalFailed, .appPop, .appPush, .signalFailed, .appPop])
        #expect(events.pops.map(\.pop.error) == ["boom", "boom"])
        #expect(events.outcomes == [.failed, .failed])
    }

    @Test("A receiver of appcontext_pushed that throws undoes a push by hand, and it may be repeated.")
    func pushedThrowsByHand() throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        try withAppContext(Desk().app) { outer throws in
            let request = App.RequestContext(self.desk.app, get())
            let context = AppContext(self.desk.app)
            let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in throw Boom() }
            #expect(throws: Boom()) { try context.push() }
            #expect(throws: Boom()) { try request.push() }
            Signals.appContextPushed.disconnect(connection)
            #expect(!context.isPushed)
            #expect(!request.isPushed)
            #expect(Current.context === outer)
            #expect(Current.requestContext == nil)
            #expect(self.log.lines.isEmpty)
            try request.push()
            try request.pop()
        }
        #expect(self.log.lines == ["r ok", "a ok"])
    }

    @Test("Where the receiver's error cannot leave, the closure runs and the trail has it.")
    func pushedThrowsUnderNonThrowing() {
        let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in throw Boom() }
        defer { Signals.appContextPushed.disconnect(connection) }
        withRequestContext(self.desk.app, get()) { request in #expect(Current.requestContext === request) }
        #expect(self.desk.kinds() == [.appPush, .signalFailed, .requestPush, .requestPop, .appPop])
    }

    @Test("Receivers of the last two signals that throw are collected after the hooks' errors.")
    func tearingDownThrows() throws {
        try self.desk.app.teardownAppContext { _, _ in throw Boom(name: "hook") }
        let tearing = Signals.appContextTearingDown.connect(to: self.desk.app) { _, _ in throw Boom(name: "tearing") }
        let popped = Signals.appContextPopped.connect(to: self.desk.app) { _, _ in throw Boom(name: "popped") }
        defer {
            Signals.appContextTearingDown.disconnect(tearing)
            Signals.appContextPopped.disconnect(popped)
        }
        let error = #expect(throws: ContextError.self) { try withAppContext(self.desk.app) { _ throws in } }
        #expect(error?.errors.map { "\($0)" } == ["hook", "tearing", "popped"])
        let failed = self.desk.events().compactMap { event in
            if case .signalFailed(let signal, let error) = event.body { "\(signal) \(error)" } else { nil }
        }
        #expect(failed == ["appcontext_tearing_down tearing", "appcontext_popped popped"])
    }
}
