// One registered teardown hook, sync or async.

internal import ContrailRecorder

/// A function that runs when a lifetime of a context ends.
final class TeardownHook<Subject: Sendable>: Sendable {
    typealias Body = @Sendable (Subject, Outcome) throws -> Void
    typealias AsyncBody = @Sendable (Subject, Outcome) async throws -> Void

    let name: String
    let site: Site
    /// Does nothing in an async hook. A constant by itself is called without being counted.
    let body: Body
    let asyncBody: AsyncBody?
    /// What is recorded of it; nil where nothing can be.
    let recorded: FlightRecorder.RecordedHook?

    init(_ name: String?, _ site: Site, in app: App, _ body: @escaping Body) {
        (self.name, self.recorded) = Self.recording(name, site, in: app)
        self.site = site
        self.body = body
        self.asyncBody = nil
    }

    init(_ name: String?, _ site: Site, in app: App, async body: @escaping AsyncBody) {
        (self.name, self.recorded) = Self.recording(name, site, in: app)
        self.site = site
        self.body = { _, _ in }
        self.asyncBody = body
    }

    var isAsync: Bool { self.asyncBody != nil }

    private static func recording(_ name: String?, _ site: Site, in app: App) -> (String, FlightRecorder.RecordedHook?)
    {
        let name = name.map { app.recordedName($0) } ?? site.description
        return (name, app.recorder?.hook(name, at: site))
    }
}
