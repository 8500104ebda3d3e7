// One registered teardown hook, sync or async.

internal import ContrailRecorder

/// A function that runs when a lifetime of a context ends.
final class TeardownHook<Subject: Sendable>: Sendable {
    enum Body: Sendable {
        case sync(@Sendable (Subject, Outcome) throws -> Void)
        case async(@Sendable (Subject, Outcome) async throws -> Void)
    }

    let name: String
    let site: Site
    let body: Body
    /// What is recorded of it; nil where nothing can be.
    let recorded: FlightRecorder.RecordedHook?

    init(_ name: String?, _ site: Site, in app: App, _ body: Body) {
        let name = name.map { app.recordedName($0) } ?? site.description
        self.name = name
        self.site = site
        self.body = body
        self.recorded = app.recorder?.hook(name, at: site)
    }

    var isAsync: Bool {
        if case .async = self.body { true } else { false }
    }
}
