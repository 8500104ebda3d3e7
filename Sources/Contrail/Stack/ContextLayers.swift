// The contexts that one scope makes visible: an immutable base and, rarely, a stack of imperative pushes.

package import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// The context layers of one scope.
///
/// Without imperative pushes every reader gets the base, and nobody's identity is asked. With them the owner sees the top
/// and everybody else the base. A scope that has ended is closed before anything else is looked at. They hang on a scope, or
/// are one themselves.
///
/// @unchecked Sendable: what it derives from is so. All fields are constants, atomics or guarded by a lock.
package class ContextLayers: Scope, ScopeLayers, OwnLayers, @unchecked Sendable {
    /// What a reader sees.
    struct Visible: Sendable {
        var app: AppContext?
        var request: App.RequestContext?

        static let nothing = Visible()
    }

    let base: Visible
    /// What is around the scope. Nearly always nothing, and then nothing is made or released for it.
    private let surroundings: Surroundings?

    /// The layers that the base's app context was taken from, and ends with; `nil` when it is this scope's own.
    var appSource: ContextLayers? { self.surroundings?.appSource }
    /// The layers around the scope when a request is current in them. It shows while the scope's own is not bound.
    var requestSource: ContextLayers? { self.surroundings?.requestSource }
    /// The request that is current around the scope.
    var outerRequest: App.RequestContext? { self.surroundings?.outerRequest }
    /// For a borrower: the lifetimes it borrowed, by their identity in the process.
    var borrowed: Borrowed? { self.surroundings?.borrowed }
    /// How many housekeepings deep the scope is: hooks that leave what they push would keep it busy for ever.
    private var housekeepingDepth: Int { self.surroundings?.housekeepingDepth ?? 0 }

    /// What earlier work left on the thread: reported when the request is pushed, with the number that it gets then.
    var left: PoisonedThread.Findings? { self.surroundings?.left }

    /// What is around a scope that is not alone.
    private final class Surroundings: Sendable {
        let appSource: ContextLayers?
        let requestSource: ContextLayers?
        let outerRequest: App.RequestContext?
        let borrowed: Borrowed?
        let housekeepingDepth: Int
        let left: PoisonedThread.Findings?

        init?(
            _ layers: ContextLayers?,
            outerRequest: App.RequestContext?,
            takesApp: Bool,
            borrowed: Borrowed? = nil,
            housekeepingDepth: Int = 0,
            left: PoisonedThread.Findings? = nil
        ) {
            let depth = max(housekeepingDepth, layers?.housekeepingDepth ?? 0)
            let appSource = takesApp ? layers : nil
            guard appSource != nil || outerRequest != nil || borrowed != nil || depth > 0 || left != nil else {
                return nil
            }
            self.appSource = appSource
            self.requestSource = outerRequest == nil ? nil : layers
            self.outerRequest = outerRequest
            self.borrowed = borrowed
            self.housekeepingDepth = depth
            self.left = left
        }
    }

    /// What a borrower borrowed.
    struct Borrowed: Sendable {
        let appIdentity: UInt64
        let requestIdentity: UInt64
        /// Where the borrower began to run; of the library when it could not know.
        let site: Site

        /// Borrows the lifetimes that run now.
        init(_ visible: Visible, site: Site = Site()) {
            self.appIdentity = visible.app?.lifetime.identity ?? 0
            self.requestIdentity = visible.request?.lifetime.identity ?? 0
            self.site = site
        }

        private init(_ other: Borrowed, site: Site) {
            self.appIdentity = other.appIdentity
            self.requestIdentity = other.requestIdentity
            self.site = site
        }

        /// The same lifetimes, run by the borrower that begins at `site`.
        func run(at site: Site) -> Borrowed { Borrowed(self, site: site) }
    }

    /// The imperative pushes. Most scopes have none, and then nothing is made or released for them.
    private final class PushStack: Sendable {
        let pushes = Mutex<[ContextPush]>([])
    }

    private let currentPusher: Atomic<UInt>
    private let pushStack = OnDemand<PushStack>()
    private let requestIsBound: Atomic<Bool>
    private let closed = Atomic<Bool>(false)

    /// Makes the layers of a scope.
    ///
    /// - Parameters:
    ///   - outer: What the scope is nested in, if it shows any of that.
    ///   - bindsRequest: Whether the base's request shows at once, and not only from ``bindRequest()`` on.
    init(
        owner: ExecutionID,
        base: Visible,
        in outer: ContextLayers? = nil,
        outerRequest: App.RequestContext? = nil,
        takesApp: Bool = false,
        bindsRequest: Bool = true,
        borrowed: Borrowed? = nil,
        housekeepingDepth: Int = 0
    ) {
        self.currentPusher = Atomic(owner.word)
        self.base = base
        self.surroundings = Surroundings(
            outer,
            outerRequest: outerRequest,
            takesApp: takesApp,
            borrowed: borrowed,
            housekeepingDepth: housekeepingDepth
        )
        self.requestIsBound = Atomic(bindsRequest)
        super.init(owner: owner, branch: nil, unit: nil, worker: nil, followsWorker: false, kind: nil)
    }

    /// Makes a scope that is its own layers.
    ///
    /// - Parameter claim: Where the scope finds its unit; without one it makes its own when somebody asks (``makeUnit()``).
    init(
        owner: ExecutionID,
        base: Visible,
        in inherited: ContextLayers?,
        outerRequest: App.RequestContext?,
        takesApp: Bool,
        bindsRequest: Bool,
        branch: VariableBranch?,
        claim: UnitClaim?,
        left: PoisonedThread.Findings? = nil
    ) {
        self.currentPusher = Atomic(owner.word)
        self.base = base
        self.surroundings = Surroundings(
            inherited,
            outerRequest: outerRequest,
            takesApp: takesApp,
            left: left
        )
        self.requestIsBound = Atomic(bindsRequest)
        super.init(
            owner: owner,
            branch: branch,
            unit: claim?.ownUnit,
            worker: claim?.worker,
            followsWorker: claim?.followsWorker ?? false,
            kind: ContextLayers.self
        )
    }

    /// Makes a scope that is its own layers, with nothing around it. A request shows from ``bindRequest()`` on.
    @inline(__always)
    init(
        owner: ExecutionID,
        app: consuming AppContext,
        request: App.RequestContext?,
        following worker: consuming Worker?
    ) {
        self.currentPusher = Atomic(owner.word)
        self.base = Visible(app: consume app, request: request)
        self.surroundings = nil
        self.requestIsBound = Atomic(request == nil)
        super.init(
            owner: owner,
            following: consume worker,
            kind: ContextLayers.self
        )
    }

    package static func layers(of scope: Scope) -> any ScopeLayers {
        // Only a scope of this class says that it is one.
        unsafeDowncast(scope, to: ContextLayers.self)
    }

    deinit {
        // A thread ended, or a scope was released, with pushes that nobody popped.
        if self.pushCount > 0 { Housekeeping.tearDown(self.leftovers, depth: self.housekeepingDepth) }
    }

    /// The layers that the caller sees, whatever their state.
    static var here: ContextLayers? {
        Scope.current.flatMap { self.of($0) }
    }

    /// Lends what the caller sees where finding it is asking nobody: the innermost scope is open and stands alone, and nothing was
    /// pushed into it. Elsewhere nil, which says nothing. Readers ask this first: each reference on the long way is counted.
    @inline(__always)
    static func plain<Found>(_ find: (ContextLayers) -> Found?) -> Found? {
        guard let scope = Scope.borrowed else { return nil }
        return scope._withUnsafeGuaranteedRef { scope in
            guard scope.isOwnLayers else { return nil }
            let layers = unsafeDowncast(scope, to: ContextLayers.self)
            guard layers.surroundings == nil, layers.pushCount == 0, !layers.isClosed else { return nil }
            return find(layers)
        }
    }

    /// The request that the base shows now.
    @inline(__always)
    var boundRequest: App.RequestContext? { self.requestIsBound.load(ordering: .acquiring) ? self.base.request : nil }

    /// The layers of a scope, whatever their state.
    static func of(_ scope: Scope) -> ContextLayers? {
        // Only a scope of this class is its own layers.
        if scope.isOwnLayers { return unsafeDowncast(scope, to: ContextLayers.self) }
        // Only this room sets a scope's layers, and always to this type.
        return scope.layers.map { unsafeDowncast($0, to: ContextLayers.self) }
    }

    /// The task or thread that may push here. It changes for a snapshot alone, whose layers are run by one after another.
    var pusher: ExecutionID { ExecutionID(word: self.currentPusher.load(ordering: .acquiring)) }

    package func enter(by owner: ExecutionID) {
        self.currentPusher.store(owner.word, ordering: .releasing)
    }

    package func makeUnit() -> WorkUnit? { nil }

    package func captured() -> any ScopeLayers {
        let visible = self.visible
        return ContextLayers(owner: ExecutionID.current, base: visible, borrowed: Borrowed(visible))
    }

    /// Whether the scope has ended.
    var isClosed: Bool { self.closed.load(ordering: .acquiring) }

    /// Whether the scope has ended, or what its app context was taken or borrowed from has.
    var hasEnded: Bool {
        if self.isClosed { return true }
        guard self.visible.app === self.base.app else { return false }
        if let borrowed, !borrowed.isLive(self.base) { return true }
        return self.appSource?.hasEnded ?? false
    }

    func close() { self.closed.store(true, ordering: .releasing) }

    /// Shows the base's request from now on: its app context was pushed without it.
    func bindRequest() { self.requestIsBound.store(true, ordering: .releasing) }

    /// Hides the base's request from now on: app teardown runs without it (`REQ-07`).
    func unbindRequest() { self.requestIsBound.store(false, ordering: .releasing) }

    private var currentBase: Visible {
        if self.requestIsBound.load(ordering: .acquiring) { return self.base }
        return Visible(app: self.base.app, request: self.outerRequest)
    }

    /// What the caller sees. Ask ``isClosed`` first.
    var visible: Visible {
        self.pushCount > 0 && self.pusher == ExecutionID.current ? self.visibleToOwner : self.currentBase
    }

    /// What the owner sees, whoever asks.
    var visibleToOwner: Visible {
        var visible = self.currentBase
        for push in self.leftovers where !push.isBuried {
            switch push.subject {
            case .app(let context): visible.app = context
            case .request(let context, _): visible.request = context
            }
        }
        return visible
    }

    // MARK: - Imperative pushes

    /// Looks at the pushes, or changes them. Where there never was one, there is nothing to change.
    private func withPushes<Result>(_ body: (inout [ContextPush]) -> Result) -> Result {
        guard let stack = self.pushStack.object else {
            var none: [ContextPush] = []
            return body(&none)
        }
        return stack.pushes.withLock { body(&$0) }
    }

    package var pushCount: Int { self.pushCounter.load(ordering: .acquiring) }

    package func pushedUnit(above floor: Int) -> WorkUnit? {
        guard self.pushCount > floor, self.pusher == ExecutionID.current else { return nil }
        return self.withPushes { pushes in
            for push in pushes.dropFirst(floor).reversed() {
                if let claim = push.claim, claim.isOwned { return claim.unit }
            }
            return nil
        }
    }

    /// The imperative pushes that are not undone, in their order.
    var leftovers: [ContextPush] { self.withPushes { $0 } }

    /// The imperative push on top.
    var top: ContextPush? { self.withPushes { $0.last } }

    /// The topmost push of an app context.
    var topApp: (context: AppContext, claim: UnitClaim?)? {
        self.withPushes { pushes in
            for push in pushes.reversed() where !push.isBuried {
                if case .app(let context) = push.subject { return (context, push.claim) }
            }
            return nil
        }
    }

    /// The topmost push of a request context.
    var topRequest: (context: App.RequestContext, ownedApp: AppContext?, claim: UnitClaim?)? {
        self.withPushes { pushes in
            for push in pushes.reversed() where !push.isBuried {
                if case .request(let context, let ownedApp) = push.subject { return (context, ownedApp, push.claim) }
            }
            return nil
        }
    }

    /// Declares everything that is pushed to be remains of earlier work. Returns what was not declared so before.
    func declareRemains() -> [ContextPush] {
        self.withPushes { pushes in
            let fresh = pushes.filter { !$0.isRemains }
            for index in pushes.indices { pushes[index].isRemains = true }
            return fresh
        }
    }

    /// Declares the topmost pushes to be remains of earlier work: a test client keeps them to be read only. The owner only.
    func declareTopRemains(_ count: Int) {
        self.withPushes { pushes in
            for index in pushes.indices.suffix(count) { pushes[index].isRemains = true }
        }
    }

    /// Whether the context is pushed here and remains of earlier work: a new request does not take it for its own.
    func isRemains(_ context: AppContext) -> Bool {
        guard self.pushCount > 0 else { return false }
        return self.withPushes { pushes in
            pushes.last { push in
                if case .app(let pushed) = push.subject { pushed === context } else { false }
            }?.isRemains ?? false
        }
    }

    /// Gives the claim of an app context's push to the request that brought it along, when that stays. Returns whether it did.
    func handOverClaim(_ claim: UnitClaim, of context: AppContext) -> Bool {
        self.withPushes { pushes in
            let index = pushes.firstIndex { push in
                if case .request(_, let ownedApp?) = push.subject { ownedApp === context } else { false }
            }
            guard let index else { return false }
            pushes[index].claim = claim
            return true
        }
    }

    /// Adds a push. The owner only.
    func append(_ push: ContextPush) {
        let stack = self.pushStack.object ?? self.pushStack.store(PushStack())
        stack.pushes.withLock { $0.append(push) }
        self.pushCounter.add(1, ordering: .releasing)
    }

    /// Removes the topmost push of an app context. The owner only, or whoever ends the scope.
    func remove(_ context: AppContext) {
        self.remove { push in
            if case .app(let pushed) = push.subject { pushed === context } else { false }
        }
    }

    /// Removes the topmost push of a request context. The owner only, or whoever ends the scope.
    func remove(_ context: App.RequestContext) {
        self.remove { push in
            if case .request(let pushed, _) = push.subject { pushed === context } else { false }
        }
    }

    /// Removes all pushes and gives them, in their order. Whoever ends the scope.
    func takeLeftovers() -> [ContextPush] {
        let leftovers = self.withPushes { pushes in
            let leftovers = pushes
            pushes = []
            return leftovers
        }
        self.pushCounter.subtract(leftovers.count, ordering: .releasing)
        return leftovers
    }

    /// Removes the push on top. Whoever ends the scope.
    func removeTop() {
        self.remove { _ in true }
    }

    private func remove(where matches: (ContextPush) -> Bool) {
        // The removed push leaves the lock before it is released: what it holds may run user code when it dies.
        let removed = self.withPushes { pushes -> ContextPush? in
            guard let index = pushes.lastIndex(where: matches) else { return nil }
            let removed = pushes.remove(at: index)
            // What its hooks pushed and left on the same layer is not what was current before it.
            if !removed.isBuried {
                for above in index..<pushes.count where pushes[above].isOfApp == removed.isOfApp {
                    pushes[above].isBuried = true
                }
            }
            return removed
        }
        if removed != nil { self.pushCounter.subtract(1, ordering: .releasing) }
    }
}
