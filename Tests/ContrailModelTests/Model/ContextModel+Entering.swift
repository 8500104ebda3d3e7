// The model: units, and the ways in.

extension ContextModel {
    // MARK: - Units
    mutating func newUnit() -> Int {
        self.units.append([:])
        return self.units.count - 1
    }

    mutating func newThread() -> Thread {
        self.branches.append([:])
        return Thread(scopes: [Scope(kind: .root, branch: self.branches.count - 1)], unit: self.newUnit())
    }

    /// The unit that a request has brought along or the base has; nil is the worker's.
    func ownUnit(_ worker: Int) -> Int? {
        guard let layer = self.threads[worker].layers.last else { return nil }
        return layer.pushes.last { $0.unit != nil }?.unit ?? layer.unit
    }

    func unit(_ worker: Int) -> Int { self.ownUnit(worker) ?? self.threads[worker].unit }

    /// The unit of a request: its worker recycles, unless it is inside a context or a hand-off, which go on with theirs.
    mutating func claim(_ app: Int, _ worker: Int) -> Int? {
        guard self.setup.apps[app].recyclesOnRequest else { return nil }
        let unit = self.newUnit()
        if self.around(worker).app == nil, self.ownUnit(worker) == nil { self.threads[worker].unit = unit }
        return unit
    }

    mutating func release(_ unit: Int?, _ worker: Int) {
        if unit == self.threads[worker].unit { self.threads[worker].unit = self.newUnit() }
    }

    // MARK: - In
    mutating func beginLifetime(_ id: ContextID) {
        self.contexts[id]?.depth += 1
        guard self.contexts[id]?.depth == 1 else { return }
        self.lastLifetime += 1
        self.contexts[id]?.lifetime = self.lastLifetime
    }

    mutating func countPop(_ id: ContextID) {
        self.contexts[id]?.depth -= 1
        if self.contexts[id]?.depth == 0 { self.contexts[id]?.lifetime = 0 }
    }

    func app(of id: ContextID?) -> Int? { id.flatMap { self.contexts[$0]?.app } }

    mutating func push(_ id: ContextID, _ fails: Bool, _ unit: Int?, _ worker: Int) -> String {
        let top = self.threads[worker].layers.count - 1
        if self.hasEnded(worker, top) { return "context_ended" }
        self.beginLifetime(id)
        self.threads[worker].layers[top].pushes.append(Push(context: id, unit: unit))
        self.answer.lines.append("pushed \(self.app(of: id) ?? 0) \(self.current)")
        guard fails else { return "ok" }
        self.threads[worker].layers[top].pushes.removeLast()
        self.countPop(id)
        return "pushed"
    }

    mutating func pushRequest(_ id: ContextID, _ fails: Bool, _ step: Step) -> String {
        let top = self.threads[step.worker].layers.count - 1
        guard let app = self.app(of: id), !self.hasEnded(step.worker, top) else { return "context_ended" }
        let isReused = self.app(of: self.visible(step.worker).app) == app
        let unit = self.claim(app, step.worker)
        let owned = isReused ? nil : ContextID.app(step.number)
        if let owned {
            self.contexts[owned] = Context(app: app)
            let result = self.push(owned, fails, unit, step.worker)
            if result != "ok" {
                self.release(unit, step.worker)
                return result
            }
        }
        let base = owned ?? self.visible(step.worker).app
        self.contexts[id]?.appContext = base
        self.beginLifetime(id)
        self.threads[step.worker].layers[top].pushes.append(Push(context: id, ownedApp: owned, unit: unit))
        return "ok"
    }

    mutating func enter(app: Int, request: ContextID?, _ fails: Bool, _ number: Int, _ worker: Int) -> String {
        let around = self.around(worker)
        let isReused = request != nil && self.app(of: around.app) == app
        let unit = request == nil ? nil : self.claim(app, worker)
        let outer = self.ownUnit(worker)
        let branch = self.threads[worker].scopes[self.depth(of: worker)].branch
        let owned = isReused ? nil : ContextID.app(number)
        self.threads[worker].scopes.append(
            Scope(
                kind: .closure,
                branch: branch,
                ownedApp: owned,
                request: request,
                outerRequest: around.request,
                unit: unit
            )
        )
        self.threads[worker].layers.append(
            Layer(
                app: owned ?? around.app,
                request: around.request,
                unit: unit ?? outer,
                appIsOuter: isReused,
                requestIsOuter: around.request != nil
            )
        )
        if let owned {
            self.contexts[owned] = Context(app: app)
            self.beginLifetime(owned)
            self.answer.lines.append("pushed \(app) \(self.current)")
            if fails {
                self.countPop(owned)
                self.threads[worker].scopes.removeLast()
                self.threads[worker].layers.removeLast()
                self.release(unit, worker)
                return "pushed"
            }
        }
        guard let request else { return "ok" }
        self.contexts[request] = Context(app: app, appContext: owned ?? around.app)
        self.beginLifetime(request)
        self.bind(request, isOuter: false, worker)
        return "ok"
    }

    mutating func bind(_ request: ContextID?, isOuter: Bool, _ worker: Int) {
        let top = self.threads[worker].layers.count - 1
        self.threads[worker].layers[top].request = request
        self.threads[worker].layers[top].requestIsOuter = isOuter
    }
}
