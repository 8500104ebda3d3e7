// The model: the ways out, and the order of teardown.

extension ContextModel {
    func holds(_ id: ContextID, _ worker: Int) -> Bool {
        let thread = self.threads[worker]
        return thread.scopes.contains { $0.ownedApp == id || $0.request == id }
            || thread.layers.contains { $0.pushes.contains { $0.context == id } }
    }

    mutating func pop(_ id: ContextID, _ outcome: String, _ worker: Int) -> String {
        guard let context = self.contexts[id], let layer = self.threads[worker].layers.last else { return "undefined" }
        if context.depth == 0 {
            self.answer.problems.append("rejected_pop")
            return "not_pushed"
        }
        let push = layer.pushes.last { $0.context.kind == id.kind }
        guard let push, push.context == id,
            push.ownedApp == nil || push.ownedApp == layer.pushes.last(where: { $0.context.kind == .app })?.context
        else {
            let isHere = self.holds(id, worker)
            self.answer.problems.append(isHere ? "rejected_pop" : "foreign_pop")
            return isHere ? "not_active" : "foreign_pop"
        }
        let unit = push.ownedApp.flatMap { owned in layer.pushes.last { $0.context == owned }?.unit } ?? push.unit
        var errors = self.pop(push, outcome, worker)
        if let owned = push.ownedApp { errors += self.pop(Push(context: owned), outcome, worker) }
        self.release(unit, worker)
        return Self.result(errors)
    }

    mutating func pop(_ push: Push, _ outcome: String, _ worker: Int) -> [String] {
        let top = self.threads[worker].layers.count - 1
        let errors = self.tearDown(push.context, outcome)
        if let index = self.threads[worker].layers[top].pushes.lastIndex(where: { $0.context == push.context }) {
            self.threads[worker].layers[top].pushes.remove(at: index)
        }
        return errors + self.finish(push.context)
    }

    /// The last pop runs the hooks in reverse order, and then the signal.
    mutating func tearDown(_ id: ContextID, _ outcome: String) -> [String] {
        guard let context = self.contexts[id], context.depth == 1 else { return [] }
        let throwing = self.setup.apps[context.app].throwing
        var errors: [String] = []
        for hook in Setup.hooks.reversed().map({ "\(id.kind == .app ? "app" : "request") \($0)" }) {
            self.answer.lines.append("\(hook) \(id) \(outcome) \(self.current)")
            if throwing.contains(hook) { errors.append(hook) }
        }
        let signal = id.kind == .app ? "tearing" : "requestTearing"
        self.answer.lines.append("\(signal) \(context.app) \(outcome) \(self.current)")
        return errors + (throwing.contains(signal) ? [signal] : [])
    }

    mutating func finish(_ id: ContextID) -> [String] {
        self.countPop(id)
        guard id.kind == .app, let app = self.app(of: id) else { return [] }
        self.answer.lines.append("popped \(app) \(self.current)")
        return self.setup.apps[app].throwing.contains("popped") ? ["popped"] : []
    }

    static func result(_ errors: [String]) -> String {
        errors.isEmpty ? "ok" : "teardown_failed(\(errors.joined(separator: ", ")))"
    }

    mutating func leave(_ outcome: String, _ worker: Int) -> String {
        let thread = self.threads[worker]
        guard let scope = thread.scopes.last, let layer = thread.layers.last else { return "undefined" }
        var errors: [String] = []
        if scope.kind == .closure {
            for push in layer.pushes.reversed() {
                self.answer.problems.append("leak")
                errors += self.pop(push, "leaked", worker)
                self.release(push.unit, worker)
            }
            if let request = scope.request {
                errors += self.tearDown(request, outcome)
                self.bind(scope.outerRequest, isOuter: scope.outerRequest != nil, worker)
                errors += self.finish(request)
            }
            if let owned = scope.ownedApp { errors += self.tearDown(owned, outcome) }
        }
        self.threads[worker].scopes.removeLast()
        if scope.kind != .value { self.threads[worker].layers.removeLast() }
        self.release(scope.unit, worker)
        if scope.kind == .borrow { self.leak(layer.pushes) }
        if let owned = scope.ownedApp { errors += self.finish(owned) }
        return outcome == "ok" ? Self.result(errors) : "body"
    }

    /// Tears down elsewhere, top first, what nobody popped.
    mutating func leak(_ pushes: [Push]) {
        let worker = self.worker
        self.worker = nil
        for push in pushes.reversed() {
            self.answer.problems.append("leak")
            self.contexts[push.context]?.hasLeaked = true
            _ = self.tearDown(push.context, "leaked")
            _ = self.finish(push.context)
        }
        self.worker = worker
    }
}
