// One registered teardown hook, sync or async.

internal import ContrailRecorder

/// A function that runs when a lifetime of a context ends.
struct TeardownHook<Subject: Sendable>: Sendable {
    enum Body: Sendable {
        case sync(@Sendable (Subject, Outcome) throws -> Void)
        case async(@Sendable (Subject, Outcome) async throws -> Void)
    }

    let name: String
    let site: Site
    let body: Body

    init(_ name: String?, _ site: Site, _ body: Body) {
        self.name = name ?? site.description
        self.site = site
        self.body = body
    }

    var isAsync: Bool {
        if case .async = self.body { true } else { false }
    }
}
