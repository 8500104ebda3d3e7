// The context in which a value was set: for values that turn up where they do not belong.

package import ContextVariables
internal import ContrailRecorder

/// One lifetime of an app or request context, known after it has ended. It keeps the app alive, and neither the context nor its `g`.
struct LifetimeOwner: ScopeOwner {
    let app: App
    let ordinal: TrailEvent.ContextOrdinal?

    private weak let appContext: AppContext?
    private weak let request: App.RequestContext?
    private let identity: UInt64

    /// The innermost context that is visible; nil when none is.
    init?(_ visible: ContextLayers.Visible) {
        guard let appContext = visible.app else { return nil }
        self.app = appContext.app
        self.ordinal = visible.ordinal
        self.request = visible.request
        self.appContext = visible.request == nil ? appContext : nil
        if let request = visible.request {
            self.identity = request.lifetime.identity
        } else {
            self.identity = appContext.lifetime.identity
        }
    }

    var isRunning: Bool {
        guard self.identity != 0 else { return false }
        if let request { return request.lifetime.identity == self.identity }
        if let appContext { return appContext.lifetime.identity == self.identity }
        return false
    }
}

extension ContextLayers {
    package var ownerHere: (any ScopeOwner)? {
        self.hasEnded ? nil : LifetimeOwner(self.visible)
    }

    package func noteBootValue(_ read: BootValueRead) {
        let visible = self.visible
        guard let app = visible.app?.app else { return }
        let owner = read.place.owner as? LifetimeOwner
        let isSameTrail = owner.map { $0.app.recorder === app.recorder } ?? false
        let reader = visible.ordinal
        app.recordProblem(
            FlightRecorder.Finding(
                kind: .staleRead,
                other: isSameTrail ? reader : nil,
                message:
                    "the recyclable variable \"\(app.recordedName(read.variable))\" was set before the worker's first recycle "
                    + "(epoch \(read.epoch)) and survived it by its policy: load it in the request, or let boot values be dropped",
                site: Site(fileID: read.readFileID, line: read.readLine),
                ownerSite: Site(fileID: read.place.fileID, line: read.place.line),
                ageNanoseconds: MonotonicClock.nanoseconds &- read.place.time
            ),
            context: isSameTrail ? owner?.ordinal : reader,
            unit: Scope.readerUnit
        )
    }
}
