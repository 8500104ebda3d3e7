// Steps that the model does not judge, each with its reason.

extension ContextModel {
    /// `CONTRAIL_MODEL_ALL=1` has those judged that differ from the rules: what is repaired can leave this file.
    private static let judgesAll = Size.of("CONTRAIL_MODEL_ALL", otherwise: 0) == 1

    /// Whether the model says what the step does. A step that it does not judge is left out of the program.
    func decides(_ step: Step) -> Bool {
        let worker = step.worker
        // In a request a recycle ends the unit that the request took, and the model knows no ended units.
        if case .recycle = step.operation { return self.ownUnit(worker) == nil }
        if Self.judgesAll { return true }
        switch step.operation {
        case .pop(let id, _): return self.knowsPushers(of: id, worker) && !self.buries(id, worker)
        case .popApp(let id):
            guard let app = self.contexts[id]?.appContext else { return true }
            return self.knowsPushers(of: app, worker) && !self.buries(app, worker)
        // A hand-off that runs on a bare thread takes what the thread has pushed for remains of earlier work.
        case .borrow: return self.threads[worker].layers.count > 1 || self.pushes(of: worker).isEmpty
        case .push(let id, _):
            if self.isOverEnded(worker) || self.isBase(id, worker) { return false }
            return id.kind == .app || self.app(of: id).map { self.keepsThreadUnit($0, worker) } ?? true
        // A hand-off of a request that was refused here shows it again.
        case .takeSnapshot: return !self.requestHasEnded(worker, self.threads[worker].layers.count - 1)
        case .enterApp: return !self.isOverEnded(worker)
        case .enterRequest(let app, _): return !self.isOverEnded(worker) && self.keepsThreadUnit(app, worker)
        default: return true
        }
    }

    /// A new thread may have the address of one that ended with a push, and is then taken for it; and that push is taken out
    /// of another's count.
    private func knowsPushers(of id: ContextID, _ worker: Int) -> Bool {
        guard let context = self.contexts[id] else { return true }
        return !context.hasLeaked || context.depth == 0
    }

    /// A pop hides what was pushed above it in the other layer, as if its hooks had pushed that.
    private func buries(_ id: ContextID, _ worker: Int) -> Bool {
        let pushes = self.pushes(of: worker)
        return pushes.contains(id) && pushes.last != id
    }

    /// A push of what a scope has borrowed already is read as the borrowed one.
    private func isBase(_ id: ContextID, _ worker: Int) -> Bool {
        self.threads[worker].layers.contains { $0.app == id || $0.request == id }
    }

    /// A request recycles the thread though it is in a hand-off whose owner has ended, or in a request without app context.
    private func keepsThreadUnit(_ app: Int, _ worker: Int) -> Bool {
        !self.setup.apps[app].recyclesOnRequest || self.around(worker).app != nil || self.ownUnit(worker) == nil
    }

    /// Over a reused app context that has ended, an own push may be read, and neither be nested in nor pushed on.
    private func isOverEnded(_ worker: Int) -> Bool {
        let top = self.threads[worker].layers.count - 1
        let layer = self.threads[worker].layers[top]
        return layer.appIsOuter && layer.shown(.app) != layer.app && self.hasEnded(worker, top - 1)
    }
}
