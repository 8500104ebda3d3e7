// The contexts that one scope makes visible: an immutable base and, rarely, a stack of imperative pushes.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

/// The context layers of one scope.
///
/// Without imperative pushes every reader gets the base, and nobody's identity is asked. With them the owner sees the top
/// and everybody else the base. A scope that has ended is closed before anything else is looked at.
final class ContextLayers: Sendable {
    /// What a reader sees.
    struct Visible: Sendable {
        var app: AppContext?
        var request: App.RequestContext?

        static let nothing = Visible()
    }

    /// One imperative push.
    enum Push: Sendable {
        case app(AppContext, site: Site)
        case request(App.RequestContext, ownedApp: AppContext?, unit: WorkUnit, worker: Worker?, site: Site)
    }

    let owner: ExecutionID
    let base: Visible
    /// The layers that the base's app context was taken from, and ends with; `nil` when it is this scope's own.
    let appSource: ContextLayers?
    /// The layers that the base's request was taken from, and ends with; `nil` when it is this scope's own.
    let requestSource: ContextLayers?
    /// For a borrower: the lifetimes it borrowed, by their identity in the process.
    let borrowed: Borrowed?

    /// What a borrower borrowed.
    struct Borrowed: Sendable {
        let appIdentity: UInt64
        let requestIdentity: UInt64
    }

    private let pushes = Mutex<[Push]>([])
    private let pushCount = Atomic<Int>(0)
    private let requestUnbound = Atomic<Bool>(false)
    private let closed = Atomic<Bool>(false)

    init(
        owner: ExecutionID,
        base: Visible,
        appSource: ContextLayers? = nil,
        requestSource: ContextLayers? = nil,
        borrowed: Borrowed? = nil
    ) {
        self.owner = owner
        self.base = base
        self.appSource = appSource
        self.requestSource = requestSource
        self.borrowed = borrowed
    }

    deinit {
        // A thread ended, or a scope was released, with pushes that nobody popped.
        let leftovers = self.pushes.withLock { $0 }
        if !leftovers.isEmpty { Housekeeping.tearDown(leftovers) }
    }

    /// The layers that the caller sees, whatever their state.
    static var current: ContextLayers? {
        // Only this room sets a scope's layers, and always to this type.
        Scope.currentLayers.map { unsafeDowncast($0, to: ContextLayers.self) }
    }

    /// Whether the scope has ended.
    var isClosed: Bool { self.closed.load(ordering: .acquiring) }

    func close() { self.closed.store(true, ordering: .releasing) }

    /// Hides the base's request from now on: app teardown runs without it (`REQ-07`).
    func unbindRequest() { self.requestUnbound.store(true, ordering: .releasing) }

    private var currentBase: Visible {
        guard self.requestUnbound.load(ordering: .acquiring) else { return self.base }
        return Visible(app: self.base.app, request: nil)
    }

    /// What the caller sees. Ask ``isClosed`` first.
    var visible: Visible {
        if self.pushCount.load(ordering: .acquiring) == 0 { return self.currentBase }
        guard self.owner == ExecutionID.current else { return self.currentBase }
        return self.pushes.withLock { pushes in
            var visible = self.currentBase
            for push in pushes {
                switch push {
                case .app(let context, _): visible.app = context
                case .request(let context, _, _, _, _): visible.request = context
                }
            }
            return visible
        }
    }

    /// The imperative push on top.
    var top: Push? { self.pushes.withLock { $0.last } }

    /// The topmost push of an app context.
    var topApp: AppContext? {
        self.pushes.withLock { pushes in
            for case .app(let context, _) in pushes.reversed() { return context }
            return nil
        }
    }

    /// The topmost push of a request context.
    var topRequest: (context: App.RequestContext, ownedApp: AppContext?, unit: WorkUnit, worker: Worker?)? {
        self.pushes.withLock { pushes in
            for case .request(let context, let ownedApp, let unit, let worker, _) in pushes.reversed() {
                return (context, ownedApp, unit, worker)
            }
            return nil
        }
    }

    /// Adds a push. The owner only.
    func append(_ push: Push) {
        self.pushes.withLock { $0.append(push) }
        self.pushCount.add(1, ordering: .releasing)
    }

    /// Removes the topmost push of an app context. The owner only.
    func remove(_ context: AppContext) {
        self.remove { push in
            if case .app(let pushed, _) = push { pushed === context } else { false }
        }
    }

    /// Removes the topmost push of a request context. The owner only.
    func remove(_ context: App.RequestContext) {
        self.remove { push in
            if case .request(let pushed, _, _, _, _) = push { pushed === context } else { false }
        }
    }

    private func remove(where matches: (Push) -> Bool) {
        // The removed push leaves the lock before it is released: what it holds may run user code when it dies.
        let removed = self.pushes.withLock { pushes -> Push? in
            pushes.lastIndex(where: matches).map { pushes.remove(at: $0) }
        }
        if removed != nil { self.pushCount.subtract(1, ordering: .releasing) }
    }
}
