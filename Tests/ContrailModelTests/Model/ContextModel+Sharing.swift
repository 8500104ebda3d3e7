// The model: hand-offs, and g.

extension ContextModel {
    mutating func takeSnapshot(_ number: Int, _ worker: Int, _ branch: Int) -> String {
        let top = self.threads[worker].layers.count - 1
        if self.hasEnded(worker, top) { return "borrow_outlived" }
        let (app, request) = self.visible(worker)
        guard let app else { return "outside_app_context" }
        self.snapshots[number] = Snapshot(
            app: app,
            request: request,
            appLifetime: self.contexts[app]?.lifetime ?? 0,
            requestLifetime: self.requestHasEnded(worker, top)
                ? 0 : request.flatMap { self.contexts[$0]?.lifetime } ?? 0,
            values: self.branches[branch],
            recyclables: self.units[self.unit(worker)]
        )
        return "ok"
    }

    mutating func borrow(_ number: Int, _ worker: Int) -> String {
        guard let snapshot = self.snapshots[number] else { return "undefined" }
        guard self.isLive(snapshot) else { return "borrow_outlived" }
        self.branches.append(snapshot.values)
        self.units.append(snapshot.recyclables)
        self.threads[worker].scopes.append(Scope(kind: .borrow, branch: self.branches.count - 1))
        self.threads[worker].layers.append(
            Layer(app: snapshot.app, request: snapshot.request, unit: self.units.count - 1, borrowed: snapshot)
        )
        return "ok"
    }

    mutating func namespace(
        _ id: ContextID?,
        _ key: Int,
        _ operation: NamespaceOperation,
        _ worker: Int
    ) -> String {
        if id == nil, self.hasEnded(worker, self.threads[worker].layers.count - 1) { return "borrow_outlived" }
        if id == nil, self.visible(worker).app == nil { return "outside_app_context" }
        guard let owner = id ?? self.visible(worker).app, var g = self.contexts[owner]?.g else { return "undefined" }
        defer { self.contexts[owner]?.g = g }
        func text(_ value: Int?) -> String { value.map(String.init) ?? "nil" }
        let index = g.firstIndex { $0.key == key }
        switch operation {
        case .set(let value):
            if let index { g[index].value = value } else { g.append((key, value)) }
            return "ok"
        case .get: return index.map { text(g[$0].value) } ?? "missing_key"
        case .getDefault(let fallback): return text(index.map { g[$0].value } ?? fallback)
        case .pop: return index.map { text(g.remove(at: $0).value) } ?? "missing_key"
        case .popDefault(let fallback): return text(index.map { g.remove(at: $0).value } ?? fallback)
        case .setDefault(let value):
            if index == nil { g.append((key, value)) }
            return text(index.map { g[$0].value } ?? value)
        case .contains: return "\(index != nil)"
        case .remove:
            if let index { g.remove(at: index) }
            return index == nil ? "missing_key" : "ok"
        case .names: return "\(g.map(\.key))"
        }
    }
}
