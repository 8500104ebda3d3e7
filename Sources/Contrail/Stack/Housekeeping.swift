// Tears down what nobody popped, off the thread that happened to drop it.

internal import ContextVariables

/// Runs the hooks of contexts whose scope or thread is gone. They run in a task of their own, never on the thread that
/// released them, which may be an event loop or be holding a lock.
enum Housekeeping {
    /// Tears leaked pushes down, top first.
    static func tearDown(_ leftovers: [ContextPush]) {
        Task.detached(name: "contrail housekeeping") {
            for push in leftovers.reversed() {
                var ending = push.leaking()
                let scope = push.scope(showing: push.visibleAlone, branch: VariableBranch())
                await scope.run { await ending.runHooks() }
                scope.closeLayers()
                _ = ending.finish()
                push.claim?.release()
            }
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
