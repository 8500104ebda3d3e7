// Tears down what nobody popped, off the thread that happened to drop it.

internal import ContextVariables
internal import ContrailRecorder

/// Runs the hooks of contexts whose scope or thread is gone. They run in a task of their own, never on the thread that
/// released them, which may be an event loop or be holding a lock.
enum Housekeeping {
    /// Tears leaked pushes down, top first.
    ///
    /// - Parameter depth: How many such tear-downs led to this one. After eight the hooks that leave what they push are not
    ///     called any more: the leaks alone are recorded.
    static func tearDown(_ leftovers: [ContextPush], depth: Int = 0) {
        Task.detached(name: "contrail housekeeping") {
            for push in leftovers.reversed() {
                var ending = push.leaking()
                let scope = push.scope(
                    showing: push.visibleAlone,
                    branch: nil,
                    housekeepingDepth: depth + 1
                )
                if depth < 8 { await scope.run { await ending.runHooks() } }
                scope.closeLayers()
                _ = ending.finish()
                push.claim?.release()
            }
        }
    }
}

extension Housekeeping {
    /// Ends one push of an app context whose hooks only an async caller can run.
    static func end(_ context: AppContext, _ outcome: Outcome, _ site: Site) {
        Task.detached(name: "contrail housekeeping") {
            var ending = LifetimeEnding(.app(context), outcome: outcome, site: site)
            let caller = ExecutionID.current
            let layers = ContextLayers(owner: caller, base: ContextLayers.Visible(app: context, request: nil))
            await Scope(owner: caller, branch: nil, unit: ending.lifetimeUnit, layers: layers)
                .run { await ending.runHooks() }
            layers.close()
            _ = ending.finish()
        }
    }
}

extension ContextPush {
    /// What is current while the push is torn down after its scope is gone.
    fileprivate var visibleAlone: ContextLayers.Visible {
        switch self.subject {
        case .app(let context): ContextLayers.Visible(app: context, request: nil)
        case .request(let context, _): ContextLayers.Visible(app: context.appContext, request: context)
        }
    }
}
