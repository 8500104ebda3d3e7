// The pure model: what the rules say about contexts, variables and units of four workers. Values only, no concurrency.

/// Predicts what each step of a program does, from the rules alone (DESIGN 4 and the catalogue of behaviours).
struct ContextModel {
    struct Context {
        let app: Int
        var depth = 0
        var lifetime = 0
        /// Whether a thread has ended without popping it.
        var hasLeaked = false
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

        func shown(_ kind: ContextID.Kind) -> ContextID? {
            self.pushes.last { $0.context.kind == kind }?.context ?? (kind == .app ? self.app : self.request)
        }
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
    var snapshots: [Int: Snapshot] = [:]
    var tokens: [Int: Token] = [:]
    var branches: [[Int: Int]] = []
    var units: [[Int: Int]] = []
    var lastLifetime = 0
    var answer = Answer()
    /// The worker that does the step; nil while what it left behind is torn down elsewhere.
    var worker: Int?
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

    mutating func result(of step: Step) -> String {
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

    func isLive(_ id: ContextID?, _ lifetime: Int) -> Bool {
        guard let id else { return true }
        return lifetime != 0 && self.contexts[id]?.lifetime == lifetime
    }

    /// Whether the app context that a layer shows was borrowed, there or further out, and has ended.
    func hasEnded(_ worker: Int, _ index: Int) -> Bool {
        let layer = self.threads[worker].layers[index]
        guard layer.shown(.app) == layer.app else { return false }
        if let borrowed = layer.borrowed { return !self.isLive(borrowed) }
        return layer.appIsOuter && self.hasEnded(worker, index - 1)
    }

    /// Whether the request that a layer shows was borrowed, there or further out, and has ended.
    func requestHasEnded(_ worker: Int, _ index: Int) -> Bool {
        let layer = self.threads[worker].layers[index]
        guard let request = layer.shown(.request), request == layer.request else { return false }
        if let borrowed = layer.borrowed { return !self.isLive(borrowed) }
        return layer.requestIsOuter && self.requestHasEnded(worker, index - 1)
    }

    func isLive(_ snapshot: Snapshot) -> Bool {
        self.isLive(snapshot.app, snapshot.appLifetime) && self.isLive(snapshot.request, snapshot.requestLifetime)
    }

    func visible(_ worker: Int) -> (app: ContextID?, request: ContextID?) {
        let layer = self.threads[worker].layers.last
        return (layer?.shown(.app), layer?.shown(.request))
    }

    /// What a scope opened here inherits: nothing from one that has ended.
    func around(_ worker: Int) -> (app: ContextID?, request: ContextID?) {
        self.hasEnded(worker, self.threads[worker].layers.count - 1) ? (nil, nil) : self.visible(worker)
    }

    var current: String {
        guard let worker else { return "-" }
        let top = self.threads[worker].layers.count - 1
        let (app, request) = self.visible(worker)
        let isOutlived = self.hasEnded(worker, top)
        // A request is of no use without the app context it is on.
        let requestIsOutlived = isOutlived || self.requestHasEnded(worker, top)
        return (isOutlived ? "borrow_outlived" : app?.description ?? "outside_app_context") + " "
            + (requestIsOutlived ? "borrow_outlived" : request?.description ?? "outside_request_context")
    }

    func observation(_ worker: Int) -> String {
        let values = self.branches[self.threads[worker].scopes[self.depth(of: worker)].branch]
        let unit = self.units[self.unit(worker)]
        return self.current + " "
            + (0..<2).map { "\(values[$0] ?? -1) \(unit[$0].map(String.init) ?? "never_set")" }
            .joined(separator: " ")
    }
}
