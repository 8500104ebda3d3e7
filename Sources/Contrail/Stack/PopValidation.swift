// Whether a pop may happen, decided before anything moves.

internal import ContextVariables
internal import ContrailRecorder

/// Decides whether a context may be popped here. A refusal changes nothing but the trail, which gets a problem.
struct PopValidation {
    private let app: App
    private let context: String
    private let lifetime: Lifetime
    private let site: Site

    init(_ app: App, _ context: String, _ lifetime: Lifetime, _ site: Site) {
        self.app = app
        self.context = context
        self.lifetime = lifetime
        self.site = site
    }

    /// Gives the layers in which the pop may happen.
    ///
    /// - Parameter isTop: For the caller's layers: whether the context is on top of its layer, and what is; nil when nothing
    ///   was pushed there.
    func validate(
        _ isTop: (ContextLayers) -> (isTop: Bool, top: String)?
    ) throws(ContextError) -> ContextLayers {
        if !self.lifetime.canPop { throw self.notPushed() }
        guard let layers = ContextLayers.current, !layers.isClosed else {
            throw self.foreign("no context is pushed here")
        }
        guard layers.owner == ExecutionID.current else {
            throw self.foreign("this task did not enter the scope it runs in")
        }
        guard let (isTop, top) = isTop(layers) else {
            throw self.notActive("it was not pushed in this scope: a closure form pops what it pushed when it returns")
        }
        guard isTop else {
            throw self.notActive("the active one is \(top): pop that first")
        }
        return layers
    }

    /// The error for a context without a push.
    func notPushed() -> ContextError {
        self.refuse(
            .rejectedPop,
            .notPushed,
            "cannot pop \(self.context): push it first, and pop it once for each push"
        )
    }

    private func notActive(_ why: String) -> ContextError {
        self.refuse(.rejectedPop, .notActive, "cannot pop \(self.context): \(why)")
    }

    private func foreign(_ why: String) -> ContextError {
        self.refuse(
            .foreignPop,
            .foreignPop,
            "cannot pop \(self.context) here: \(why); pop it on the task or thread that pushed it"
        )
    }

    private func refuse(_ kind: EventKind, _ code: ContextError.Code, _ message: String) -> ContextError {
        self.app.record(
            .problem(TrailEvent.Problem(kind: kind, other: nil, message: message, site: self.site)),
            context: self.lifetime.ordinal == 0 ? nil : self.lifetime.ordinal,
            unit: self.lifetime.unit ?? Scope.current?.unit
        )
        return ContextError(code, message, site: self.site)
    }
}

extension ContextLayers {
    /// The layers that a nested scope inherits from: those of the caller, unless they, or what they show, have ended.
    static var inheritable: ContextLayers? {
        guard let layers = self.current, !layers.hasEnded else { return nil }
        return layers
    }

    /// The scope and layers in which the caller may push. A bare thread gets its root on demand.
    static func writable(for what: String, _ site: Site) throws(ContextError) -> (Scope, ContextLayers) {
        let caller = ExecutionID.current
        if let layers = self.current, let scope = Scope.current {
            if layers.hasEnded {
                throw ContextError(
                    .contextEnded,
                    "cannot \(what): the scope around this task has ended; enter one of its own with withAppContext",
                    site: site
                )
            }
            guard layers.owner == caller else {
                throw ContextError(
                    .notOwner,
                    "cannot \(what): the scope belongs to another task; use withAppContext or withRequestContext here",
                    site: site
                )
            }
            return (scope, layers)
        }
        let layers = ContextLayers(owner: caller, base: .nothing)
        guard let scope = Scope.setThreadRootLayers(layers, for: caller) else {
            throw ContextError(
                .noScope,
                "cannot \(what): a task needs a scope first; use withAppContext or withRequestContext",
                site: site
            )
        }
        return (scope, layers)
    }
}
