// One imperative push, and how it ends when nobody pops it.

internal import ContextVariables
internal import ContrailRecorder

/// One imperative push of a context.
struct ContextPush: Sendable {
    /// What was pushed.
    enum Subject: Sendable {
        case app(AppContext)
        /// With the app context that the push brought along, which lies below it.
        case request(App.RequestContext, ownedApp: AppContext?)
    }

    let subject: Subject
    /// The unit that a request took. The lower of its two pushes carries it when it brought an app context along.
    var claim: UnitClaim?
    /// Who made it.
    let owner: ExecutionID
    let site: Site
    /// Whether later work on the thread found it there.
    var isRemains = false
    /// Whether a push below it was undone while it was there, by whose hook it was made: it shows no more, and is a leak.
    var isBuried = false

    /// Whether the push is on the layer of app contexts.
    var isOfApp: Bool {
        if case .app = self.subject { true } else { false }
    }

    /// Whether a hook would run that only an async caller can run.
    var needsAsync: Bool {
        switch self.subject {
        case .app(let context): context.app.hasAsyncAppHooks
        case .request(let context, _): context.app.hasAsyncRequestHooks
        }
    }

    /// The end of the push as a leak, recorded as such.
    func leaking() -> LifetimeEnding {
        switch self.subject {
        case .app(let context):
            context.app.recordLeak(context.description, context.lifetime, self.site)
            return LifetimeEnding(.app(context), outcome: .leaked, owner: self.owner, site: self.site)
        case .request(let context, _):
            context.app.recordLeak(context.description, context.lifetime, self.site)
            return LifetimeEnding(.request(context), outcome: .leaked, owner: self.owner, site: self.site)
        }
    }

    /// A scope in which hooks see what was pushed, for a caller that is not the owner of the push. Close its layers after.
    ///
    /// - Parameter source: The layers that the push lies in. What is visible of their base ends with them.
    func scope(
        showing visible: ContextLayers.Visible,
        of source: ContextLayers? = nil,
        branch: VariableBranch?,
        housekeepingDepth: Int = 0
    ) -> Scope {
        let unit =
            switch self.subject {
            case .app(let context): context.lifetime.unit
            case .request(let context, _): context.lifetime.unit
            }
        let caller = ExecutionID.current
        let layers = ContextLayers(
            owner: caller,
            base: visible,
            in: source,
            outerRequest: source?.topRequest == nil && source != nil ? visible.request : nil,
            takesApp: source?.topApp == nil && source != nil,
            housekeepingDepth: housekeepingDepth
        )
        return Scope(owner: caller, branch: branch, unit: self.claim?.unit ?? unit, layers: layers)
    }
}

extension Scope {
    /// Ends what the scope shows: whoever still runs in it reads too late from now on.
    func closeLayers() {
        (self.layers as? ContextLayers)?.close()
    }
}

extension App {
    fileprivate func recordLeak(_ what: String, _ state: borrowing LifetimeState, _ site: Site) {
        let lifetime = state.current
        self.recordProblem(
            FlightRecorder.Finding(
                kind: .leak,
                other: nil,
                message: "\(what) was never popped: pop it where it was pushed, or use the closure form",
                site: site,
                ownerSite: site,
                ageNanoseconds: lifetime.age
            ),
            context: lifetime.ordinal,
            unit: state.label
        )
    }
}
