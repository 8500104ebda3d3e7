// Rows of scopes.

import Contrail
import HTTPTypes

extension Row {
    static var scopes: [Row] {
        Self.both("app scope, audited") { Self.appScope(.lifecycle) }
            + Self.inTask("app scope, audited, async") { await Self.asyncAppScope(.lifecycle) }
            + Self.both("app scope, recorder off") { Self.appScope(.off) }
            + Self.both("app scope, no recorder") { Self.appScope(.without) }
            + Self.both("request scope, audited") { Self.requestScope(.lifecycle) }
            + Self.inTask("request scope, audited, async") { await Self.asyncRequestScope(.lifecycle) }
            + Self.both("request scope, recorder off") { Self.requestScope(.off) }
            + Self.both("request scope, no recorder") { Self.requestScope(.without) }
    }

    private static func appScope(_ audit: Audit) -> Double {
        let app = audit.app()
        let count = audit.count(slots: 2)
        defer { audit.verify(app, events: 2 * count) }
        return Meter.each(count) { withAppContext(app) { keep($0) } }
    }

    private static func asyncAppScope(_ audit: Audit) async -> Double {
        let app = audit.app()
        let count = audit.count(slots: 2)
        defer { audit.verify(app, events: 2 * count) }
        return await Meter.eachAwaited(count) { await withAppContext(app) { await Self.keepAwaited($0) } }
    }

    // Two pushes, two pops, two hooks; where there is a worker, its recycle besides.

    private static func requestScope(_ audit: Audit) -> Double {
        let app = Self.hooked(audit.app())
        let count = audit.count(slots: 12)
        defer { audit.verify(app, events: 6 * count) }
        return Meter.each(count) { withRequestContext(app, Self.request) { keep($0) } }
    }

    private static func asyncRequestScope(_ audit: Audit) async -> Double {
        let app = Self.hooked(audit.app())
        let count = audit.count(slots: 12)
        defer { audit.verify(app, events: 6 * count) }
        return await Meter.eachAwaited(count) {
            await withRequestContext(app, Self.request) { await Self.keepAwaited($0) }
        }
    }

    /// Makes the closure around it an async one, or the sync form would be called.
    private nonisolated(nonsending) static func keepAwaited<Value>(_ value: Value) async { keep(value) }

    private static let request = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/")

    private static func hooked(_ app: App) -> App {
        do {
            try app.teardownRequest { context, _ in keep(context) }
            try app.teardownRequest { context, _ in keep(context) }
        } catch {
            preconditionFailure("cannot set the app up: \(error)")
        }
        return app
    }
}
