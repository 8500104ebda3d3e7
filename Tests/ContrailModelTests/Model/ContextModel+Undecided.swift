// Steps that the model does not judge yet: where the real contexts are known to differ, each with its reason.

extension ContextModel {
    /// `CONTRAIL_MODEL_ALL=1` has them judged all the same: what is repaired can leave this file.
    private static let judgesAll = Size.of("CONTRAIL_MODEL_ALL", otherwise: 0) == 1

    /// Whether the model says what the step does. A step that it does not judge is left out of the program.
    func decides(_ step: Step) -> Bool {
        let worker = step.worker
        // In a request a recycle ends the unit that the request took, and the model knows no ended units.
        if case .recycle = step.operation { return self.ownUnit(worker) == nil }
        if Self.judgesAll { return true }
        switch step.operation {
        case .pop(let id, _): return self.knowsOwner(of: id, worker) && !self.isOwned(id, worker)
        case .popApp(let id):
            guard let app = self.contexts[id]?.appContext else { return true }
            return self.knowsOwner(of: app, worker) && !self.isOwned(app, worker)
        case .push(let id, _) where id.kind == .request:
            return self.app(of: id).map { self.keepsOuterUnit($0, worker) } ?? true
        case .enterRequest(let app, _): return self.keepsOuterUnit(app, worker)
        default: return true
        }
    }

    /// A refused pop takes whoever pushed the context last for its owner, though others have pushes of their own.
    private func knowsOwner(of id: ContextID, _ worker: Int) -> Bool {
        guard let context = self.contexts[id], context.depth > 0, let pusher = context.pusher else { return true }
        return self.holds(id, worker) == (pusher == worker)
    }

    /// The app context that a request brought along takes the request's unit with it when it is popped by itself.
    private func isOwned(_ id: ContextID, _ worker: Int) -> Bool {
        self.threads[worker].layers.contains { $0.pushes.contains { $0.ownedApp == id && $0.unit != nil } }
    }

    /// A request without a unit of its own keeps one that has ended when the worker recycles above it; and a request in a
    /// unit that is neither the worker's nor inside one that a request took makes the worker recycle.
    private func keepsOuterUnit(_ app: Int, _ worker: Int) -> Bool {
        let thread = self.threads[worker]
        guard self.setup.apps[app].recyclesOnRequest else { return true }
        if self.around(worker).app == nil, !self.pushes(of: worker).isEmpty { return false }
        guard let unit = self.ownUnit(worker), unit != thread.unit else { return true }
        return thread.layers.contains { layer in
            layer.unit == thread.unit || layer.pushes.contains { $0.unit == thread.unit }
        }
    }

    /// The hooks of a leftover see a borrowed context that has ended; everybody else is refused.
    mutating func popLeftover(_ push: Push, _ worker: Int) -> [String] {
        self.isUnwinding = !Self.judgesAll
        let errors = self.tearDown(push.context, "leaked")
        self.isUnwinding = false
        self.threads[worker].layers[self.threads[worker].layers.count - 1].pushes.removeLast()
        return errors + self.finish(push.context)
    }
}
