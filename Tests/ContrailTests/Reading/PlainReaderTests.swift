// The readers' short way says what the long one would.

import ContextVariables
import ContrailRecorder
import HTTPTypes
import Testing

@testable import Contrail

/// Both ways are asked side by side wherever something could make them differ.
@Suite("Readers, the short way and the long one", .timeLimit(.minutes(5)))
struct PlainReaderTests {
    private let desk = Desk()
    private let asked = Counter()

    /// What is current, found as if there were no short way.
    private func app() throws(ContextError) -> AppContext? {
        guard let layers = ContextLayers.here else { return nil }
        let visible = layers.visible
        if let error = layers.appEndedError(for: visible, .unknown) { throw error }
        return visible.app
    }

    private func request() throws(ContextError) -> App.RequestContext? {
        guard let layers = ContextLayers.here else { return nil }
        let visible = layers.visible
        if let error = layers.appEndedError(for: visible, .unknown) { throw error }
        if let error = layers.requestEndedError(for: visible, .unknown) { throw error }
        return visible.request
    }

    private func compare(_ place: String) {
        self.asked.next()
        let reader = Current.here()
        let (app, request) = (Result { try self.app() }, Result { try self.request() })
        let (shortApp, shortRequest) = (
            Result { try reader.optionalAppContext }, Result { try reader.optionalRequestContext }
        )
        #expect(Self.text(app) == Self.text(shortApp), "the app context, \(place)")
        #expect(Self.text(request) == Self.text(shortRequest), "the request, \(place)")
    }

    private static func text<Context: AnyObject>(_ result: Result<Context?, any Error>) -> String {
        switch result {
        case .success(let context): context.map { "\(ObjectIdentifier($0))" } ?? "none"
        case .failure(let error): "\((error as? ContextError)?.code as Any)"
        }
    }

    /// Everything that can be around or inside what is current.
    private func compareInside(_ name: String) throws {
        self.compare(name)
        let variable = ContextVariable<Int>("v")
        try variable.withValue(1) { () throws in self.compare("\(name), a variable set") }
        let other = AppContext(self.desk.app)
        try other.push()
        self.compare("\(name), an app context pushed")
        let request = App.RequestContext(self.desk.app, get())
        try request.push()
        self.compare("\(name), a request pushed")
        try request.pop()
        try other.pop()
        self.compare("\(name), all popped")
        try withRequestContext(self.desk.app, get()) { _ throws in
            self.compare("\(name), a request inside")
            withAppContext(self.desk.app) { _ in self.compare("\(name), an app context inside the request") }
        }
        try ContextSnapshot("compare").run { () throws in
            self.compare("\(name), a snapshot")
            withRequestContext(self.desk.app, get()) { _ in self.compare("\(name), a request in a snapshot") }
        }
    }

    @Test("In scopes, nested ones, snapshots and beside pushes, on threads, in hooks and receivers.")
    func everywhere() async throws {
        let app = self.desk.app
        try app.teardownAppContext("app hook") { _, _ in self.compare("a hook of the app context") }
        try app.teardownRequest("request hook") { _, _ in self.compare("a hook of the request") }
        let connections = [
            Signals.appContextPushed.connect(to: app) { _, _ in self.compare("pushed") },
            Signals.appContextPopped.connect(to: app) { _, _ in self.compare("popped") },
        ]
        defer { withExtendedLifetime(connections) {} }
        try withAppContext(app) { _ throws in try self.compareInside("an app context") }
        try withRequestContext(app, get()) { _ throws in try self.compareInside("a request") }
        try await onThread {
            self.compare("a bare thread")
            let request = App.RequestContext(app, get())
            try request.push()
            try self.compareInside("the root of a thread")
            try request.pop()
            self.compare("the root, popped")
        }
        #expect(self.asked.value > 50)
    }

    @Test("In a child beside a push, and in a task that outlives the scope.")
    func children() async throws {
        let (isPushed, isSeen, isOver) = (Gate(), Gate(), Gate())
        var late: Task<Void, Never>?
        try await withRequestContext(self.desk.app, get()) { _ async throws in
            async let child: Void = {
                await isPushed.wait()
                self.compare("a child beside a push")
                isSeen.open()
            }()
            let push: () throws -> App.RequestContext = {
                let request = App.RequestContext(self.desk.app, get())
                try request.push()
                return request
            }
            let request = try push()
            isPushed.open()
            await isSeen.wait()
            await child
            try await request.pop()
            late = Task {
                self.compare("a task inside")
                await isOver.wait()
                self.compare("a task that is late")
            }
        }
        isOver.open()
        await late?.value
        #expect(self.asked.value == 3)
    }
}
