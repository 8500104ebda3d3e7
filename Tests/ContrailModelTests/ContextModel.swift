// The pure model: what the rules say about contexts, variables and units of four workers. Values only, no concurrency.

/// Predicts what each step of a program does, from the rules alone (DESIGN 4 and the catalogue of behaviours).
struct ContextModel {
    struct Context {
        let app: Int
        /// Who pushed it last.
        var pusher: Int?
        var depth = 0
        var lifetime = 0
        /// Of a request: the app context it was pushed on last.
        var appContext: ContextID?
        var g: [(key: Int, value: Int?)] = []
    }

    struct Push {
        let context: ContextID
        var ownedApp: ContextID?
        /// The unit that a request took.
        var unit: Int?
    }

    /// What a scope shows: a base, and pushes above it.
    struct Layer {
        var app: ContextID?
        var request: ContextID?
        /// The unit of the base; nil follows the worker.
        var unit: Int?
        var appIsOuter = false
        var requestIsOuter = false
        var borrowed: Snapshot?
        var pushes: [Push] = []
    }

    struct Scope {
        enum Kind { case root, value, borrow, closure }
        let kind: Kind
        let branch: Int
        var ownedApp: ContextID?
        var request: ContextID?
        var outerRequest: ContextID?
        var unit: Int?
    }

    struct Thread {
        var layers = [Layer()]
        var scopes: [Scope]
        /// The unit that the worker hosts.
        var unit: Int
    }

    struct Snapshot {
        let app: ContextID?
        let request: ContextID?
        let appLifetime: Int
        let requestLifetime: Int
        let values: [Int: Int]
        let recyclables: [Int: Int]
    }

    struct Token {
        let variable: Int
        let branch: Int
        let old: Int?
        var isUsed = false
    }

    let setup: Setup
    var contexts: [ContextID: Context] = [:]
    var threads: [Thread] = []
    private var snapshots: [Int: Snapshot] = [:]
    private var tokens: [Int: Token] = [:]
    private var branches: [[Int: Int]] = []
    private var units: [[Int: Int]] = []
    private var lastLifetime = 0
    private var answer = Answer()
    /// The worker that does the step; nil while what it left behind is torn down elsewhere.
    private var worker: Int?
    /// See ``popLeftover(_:_:)``.
    var isUnwinding = false

    init(_ setup: Setup) {
        self.setup = setup
        for number in 0..<ContextID.ready {
            self.contexts[.app(number)] = Context(app: number % 2)
            self.contexts[.request(number)] = Context(app: number % 2)
        }
        self.threads = (0..<Program.workers).map { _ in self.newThread() }
    }

    /// What a worker has pushed by hand in its innermost scope, for a generator that wants pops to succeed.
    func pushes(of worker: Int) -> [ContextID] { self.threads[worker].layers.last?.pushes.map(\.context) ?? [] }

    /// How many closures a worker is in.
    func depth(of worker: Int) -> Int { self.threads[worker].scopes.count - 1 }

    /// Does a step and says what the real thing must do.
    mutating func perform(_ step: Step) -> Answer {
        self.answer = Answer()
        self.worker = step.worker
        self.answer.result = self.result(of: step)
        self.answer.current = self.observation(step.worker)
        return self.answer
    }

    private mutating func result(of step: Step) -> String {
        let worker = step.worker
        let branch = self.threads[worker].scopes[self.depth(of: worker)].branch
        switch step.operation {
        case .push(let id, let fails):
            if self.contexts[id] == nil { return "undefined" }
            return id.kind == .app ? self.push(id, fails, nil, worker) : self.pushRequest(id, fails, step)
        case .pop(let id, let error): return self.pop(id, error ? "failed body" : "ok", worker)
        case .popApp(let id):
            return self.contexts[id]?.appContext.map { self.pop($0, "ok", worker) } ?? "undefined"
        case .enterApp(let app, let fails): return self.enter(app: app, request: nil, fails, step.number, worker)
        case .enterRequest(let app, let fails):
            return self.enter(app: app, request: .request(step.number), fails, step.number, worker)
        case .enterValue(let variable, let value):
            self.branches.append(self.branches[branch])
            self.branches[self.branches.count - 1][variable] = value
            self.threads[worker].scopes.append(Scope(kind: .value, branch: self.branches.count - 1))
            return "ok"
        case .borrow(let number): return self.borrow(number, worker)
        case .leave(let error):
            return self.depth(of: worker) == 0 ? "undefined" : self.leave(error ? "failed body" : "ok", worker)
        case .takeSnapshot: return self.takeSnapshot(step.number, worker, branch)
        case .set(let variable, let value):
            let old = self.branches[branch].updateValue(value, forKey: variable)
            self.tokens[step.number] = Token(variable: variable, branch: branch, old: old)
            return "ok"
        case .reset(let variable, let number):
            guard let token = self.tokens[number] else { return "undefined" }
            if token.isUsed { return "token_used" }
            if token.variable != variable { return "token_other_variable" }
            if token.branch != branch { return "token_other_context" }
            self.tokens[number]?.isUsed = true
            self.branches[branch][variable] = token.old
            return "ok"
        case .namespace(let id, let key, let operation): return self.namespace(id, key, operation, worker)
        case .store(let recyclable, let value): self.units[self.unit(worker)][recyclable] = value
        case .invalidate(let recyclable): self.units[self.unit(worker)][recyclable] = nil
        case .recycle: self.threads[worker].unit = self.newUnit()
        case .end:
            self.leak(self.threads[worker].layers[0].pushes)
            self.threads[worker] = self.newThread()
        }
        return "ok"
    }

    // MARK: - What is current

    private func isLive(_ id: ContextID?, _ lifetime: Int) -> Bool {
        guard let id else { return true }
        return lifetime != 0 && self.contexts[id]?.lifetime == lifetime
    }

    private func hasEnded(_ worker: Int, _ index: Int) -> Bool {
        let layer = self.threads[worker].layers[index]
        if let borrowed = layer.borrowed, !self.isUnwinding {
            return !self.isLive(borrowed.app, borrowed.appLifetime) || !self.isLive(borrowed.request, borrowed.requestLifetime)
        }
        return layer.appIsOuter && self.hasEnded(worker, index - 1)
    }

    private func requestHasEnded(_ worker: Int, _ index: Int) -> Bool {
        let layer = self.threads[worker].layers[index]
        guard layer.requestIsOuter, !layer.pushes.contains(where: { $0.context.kind == .request }) else { return false }
        return self.hasEnded(worker, index - 1) || self.requestHasEnded(worker, index - 1)
    }

    private func visible(_ worker: Int) -> (app: ContextID?, request: ContextID?) {
        guard let layer = self.threads[worker].layers.last else { return (nil, nil) }
        return (
            layer.pushes.last { $0.context.kind == .app }?.context ?? layer.app,
            layer.pushes.last { $0.context.kind == .request }?.context ?? layer.request
        )
    }

    /// What a scope opened here inherits: nothing from one that has ended.
    func around(_ worker: Int) -> (app: ContextID?, request: ContextID?) {
        self.hasEnded(worker, self.threads[worker].layers.count - 1) ? (nil, nil) : self.visible(worker)
    }

    private var current: String {
        guard let worker else { return "-" }
        let top = self.threads[worker].layers.count - 1
        if self.hasEnded(worker, top) { return "borrow_outlived borrow_outlived" }
        let (app, request) = self.visible(worker)
        let isOutlived = self.requestHasEnded(worker, top)
        return (app?.description ?? "outside_app_context") + " "
            + (isOutlived ? "borrow_outlived" : request?.description ?? "outside_request_context")
    }

    private func observation(_ worker: Int) -> String {
        let values = self.branches[self.threads[worker].scopes[self.depth(of: worker)].branch]
        let unit = self.units[self.unit(worker)]
        return self.current + " " + (0..<2).map { "\(values[$0] ?? -1) \(unit[$0].map(String.init) ?? "never_set")" }
            .joined(separator: " ")
    }

    // MARK: - Units

    private mutating func newUnit() -> Int {
        self.units.append([:])
        return self.units.count - 1
    }

    private mutating func newThread() -> Thread {
        self.branches.append([:])
        return Thread(scopes: [Scope(kind: .root, branch: self.branches.count - 1)], unit: self.newUnit())
    }

    /// The unit that a request has brought along or the base has; nil is the worker's.
    func ownUnit(_ worker: Int) -> Int? {
        guard let layer = self.threads[worker].layers.last else { return nil }
        return layer.pushes.last { $0.unit != nil }?.unit ?? layer.unit
    }

    private func unit(_ worker: Int) -> Int { self.ownUnit(worker) ?? self.threads[worker].unit }

    /// The unit of a request: its worker recycles, unless it is inside a context or a hand-off, which go on with theirs.
    private mutating func claim(_ app: Int, _ worker: Int) -> Int? {
        guard self.setup.apps[app].recyclesOnRequest else { return nil }
        let unit = self.newUnit()
        if self.around(worker).app == nil, self.ownUnit(worker) == nil { self.threads[worker].unit = unit }
        return unit
    }

    private mutating func release(_ unit: Int?, _ worker: Int) {
        if unit == self.threads[worker].unit { self.threads[worker].unit = self.newUnit() }
    }

    // MARK: - In

    private mutating func beginLifetime(_ id: ContextID) {
        self.contexts[id]?.depth += 1
        self.contexts[id]?.pusher = self.worker
        guard self.contexts[id]?.depth == 1 else { return }
        self.lastLifetime += 1
        self.contexts[id]?.lifetime = self.lastLifetime
    }

    private mutating func countPop(_ id: ContextID) {
        self.contexts[id]?.depth -= 1
        if self.contexts[id]?.depth == 0 { self.contexts[id]?.lifetime = 0 }
    }

    func app(of id: ContextID?) -> Int? { id.flatMap { self.contexts[$0]?.app } }

    private mutating func push(_ id: ContextID, _ fails: Bool, _ unit: Int?, _ worker: Int) -> String {
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

    private mutating func pushRequest(_ id: ContextID, _ fails: Bool, _ step: Step) -> String {
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

    private mutating func enter(app: Int, request: ContextID?, _ fails: Bool, _ number: Int, _ worker: Int) -> String {
        let around = self.around(worker)
        let isReused = request != nil && self.app(of: around.app) == app
        let unit = request == nil ? nil : self.claim(app, worker)
        let outer = self.ownUnit(worker)
        let branch = self.threads[worker].scopes[self.depth(of: worker)].branch
        let owned = isReused ? nil : ContextID.app(number)
        self.threads[worker].scopes.append(
            Scope(
                kind: .closure, branch: branch, ownedApp: owned, request: request, outerRequest: around.request, unit: unit
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

    private mutating func bind(_ request: ContextID?, isOuter: Bool, _ worker: Int) {
        let top = self.threads[worker].layers.count - 1
        self.threads[worker].layers[top].request = request
        self.threads[worker].layers[top].requestIsOuter = isOuter
    }

    // MARK: - Out

    func holds(_ id: ContextID, _ worker: Int) -> Bool {
        let thread = self.threads[worker]
        return thread.scopes.contains { $0.ownedApp == id || $0.request == id }
            || thread.layers.contains { $0.pushes.contains { $0.context == id } }
    }

    private mutating func pop(_ id: ContextID, _ outcome: String, _ worker: Int) -> String {
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

    private static func result(_ errors: [String]) -> String {
        errors.isEmpty ? "ok" : "teardown_failed(\(errors.joined(separator: ", ")))"
    }

    private mutating func leave(_ outcome: String, _ worker: Int) -> String {
        let thread = self.threads[worker]
        guard let scope = thread.scopes.last, let layer = thread.layers.last else { return "undefined" }
        var errors: [String] = []
        if scope.kind == .closure {
            for push in layer.pushes.reversed() {
                self.answer.problems.append("leak")
                errors += self.popLeftover(push, worker)
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
    private mutating func leak(_ pushes: [Push]) {
        let worker = self.worker
        self.worker = nil
        for push in pushes.reversed() {
            self.answer.problems.append("leak")
            _ = self.tearDown(push.context, "leaked")
            _ = self.finish(push.context)
        }
        self.worker = worker
    }

    // MARK: - Hand-off and g

    private mutating func takeSnapshot(_ number: Int, _ worker: Int, _ branch: Int) -> String {
        let top = self.threads[worker].layers.count - 1
        if self.hasEnded(worker, top) { return "borrow_outlived" }
        let (app, request) = self.visible(worker)
        guard let app else { return "outside_app_context" }
        self.snapshots[number] = Snapshot(
            app: app,
            request: request,
            appLifetime: self.contexts[app]?.lifetime ?? 0,
            requestLifetime: self.requestHasEnded(worker, top) ? 0 : request.flatMap { self.contexts[$0]?.lifetime } ?? 0,
            values: self.branches[branch],
            recyclables: self.units[self.unit(worker)]
        )
        return "ok"
    }

    private mutating func borrow(_ number: Int, _ worker: Int) -> String {
        guard let snapshot = self.snapshots[number] else { return "undefined" }
        guard self.isLive(snapshot.app, snapshot.appLifetime), self.isLive(snapshot.request, snapshot.requestLifetime)
        else { return "borrow_outlived" }
        self.branches.append(snapshot.values)
        self.units.append(snapshot.recyclables)
        self.threads[worker].scopes.append(Scope(kind: .borrow, branch: self.branches.count - 1))
        self.threads[worker].layers.append(
            Layer(app: snapshot.app, request: snapshot.request, unit: self.units.count - 1, borrowed: snapshot)
        )
        return "ok"
    }

    private mutating func namespace(
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
