// Tears down what nobody popped, off the thread that happened to drop it.

internal import ContextVariables
internal import ContrailRecorder

/// Runs the hooks of contexts whose scope or thread is gone. They run in a task of their own, never on the thread that
/// released them, which may be an event loop or be holding a lock.
enum Housekeeping {
    /// Tears leaked pushes down, top first.
    static func tearDown(_ leftovers: [ContextLayers.Push]) {
        Task.detached(name: "contrail housekeeping") {
            for push in leftovers.reversed() {
                let scope = Scope(
                    owner: ExecutionID.current,
                    branch: VariableBranch(),
                    unit: nil,
                    layers: ContextLayers(owner: ExecutionID.current, base: push.visible)
                )
                await scope.run { await push.endLeaked() }
            }
        }
    }
}

extension ContextLayers.Push {
    /// What is current while the push is torn down.
    var visible: ContextLayers.Visible {
        switch self {
        case .app(let context, _): ContextLayers.Visible(app: context, request: nil)
        case .request(let context, _, _, _, _):
            ContextLayers.Visible(app: context.appContext, request: context)
        }
    }

    /// Records the leak and names the push.
    func recordLeak() {
        switch self {
        case .app(let context, let site):
            context.app.recordLeak(context.description, context.lifetime.current, site)
        case .request(let context, _, _, _, let site):
            context.app.recordLeak(context.description, context.lifetime.current, site)
        }
    }

    nonisolated(nonsending) func endLeaked() async {
        self.recordLeak()
        switch self {
        case .app(let context, let site):
            await context.end(.leaked, site: site) {}
        case .request(let context, _, let unit, let worker, let site):
            await context.end(.leaked, site: site) {}
            worker?.releaseUnit(unit)
        }
    }
}

extension App {
    func recordLeak(_ what: String, _ lifetime: Lifetime, _ site: Site) {
        self.record(
            .problem(
                TrailEvent.Problem(
                    kind: .leak,
                    other: nil,
                    message: "\(what) was never popped: pop it where it was pushed, or use the closure form",
                    site: site
                )
            ),
            context: lifetime.ordinal,
            unit: lifetime.unit
        )
    }
}
