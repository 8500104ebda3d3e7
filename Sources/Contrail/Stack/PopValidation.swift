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
    /// - Parameter top: For the caller's layers: what stands in the way of the pop; nil when nothing was pushed there.
    func validate(_ top: (ContextLayers) -> Top?) throws(ContextError) -> ContextLayers {
        if !self.lifetime.canPop { throw self.notPushed() }
        guard let layers = ContextLayers.here, !layers.isClosed else {
            throw self.foreign("no context is pushed here")
        }
        guard layers.pusher == ExecutionID.current else {
            throw self.foreign("this task did not enter the scope it runs in")
        }
        switch top(layers) {
        case .itself?: return layers
        case let obstacle where !self.lifetime.isPushed(by: layers.pusher):
            throw self.foreign("another task or thread pushed it", obstacle?.ordinal)
        case .other(let what, let ordinal)?:
            throw self.notActive("the active one is \(what); pop that first", ordinal)
        case .appContextIsGone?:
            throw self.notActive("its app context was popped by itself; the end of the scope or thread tears it down")
        case nil:
            throw self.notActive("it was not pushed in this scope: a closure form pops what it pushed when it returns")
        }
    }

    /// What is on top of the layer that the pop is about.
    enum Top {
        /// The context itself.
        case itself
        /// Another context, described with the place of its push.
        case other(String, TrailEvent.ContextOrdinal)
        /// The context is a request, and the app context that it owns has been popped.
        case appContextIsGone

        /// Another app context. Its number means something only to those who record with the same recorder.
        static func other(_ context: AppContext, seenBy app: App) -> Top {
            .other(context.description, app.recorder === context.app.recorder ? context.lifetime.current.ordinal : 0)
        }

        /// Another request context, as above.
        static func other(_ context: App.RequestContext, seenBy app: App) -> Top {
            let lifetime = context.lifetime.current
            return .other(
                "\(context), pushed at \(lifetime.site)",
                app.recorder === context.app.recorder ? lifetime.ordinal : 0
            )
        }

        var ordinal: TrailEvent.ContextOrdinal? {
            if case .other(_, let ordinal) = self, ordinal != 0 { ordinal } else { nil }
        }
    }

    /// The error for a context without a push.
    func notPushed() -> ContextError {
        self.refuse(
            .rejectedPop,
            .notPushed,
            "cannot pop \(self.context): push it first, and pop it once for each push"
        )
    }

    private func notActive(_ why: String, _ other: TrailEvent.ContextOrdinal? = nil) -> ContextError {
        self.refuse(
            .rejectedPop,
            .notActive,
            "cannot pop \(self.context), pushed at \(self.lifetime.site): \(why)",
            other
        )
    }

    private func foreign(_ why: String, _ other: TrailEvent.ContextOrdinal? = nil) -> ContextError {
        self.refuse(
            .foreignPop,
            .foreignPop,
            "cannot pop \(self.context), pushed at \(self.lifetime.site), here: \(why); pop it on the task or thread that "
                + "pushed it",
            other
        )
    }

    private func refuse(
        _ kind: EventKind,
        _ code: ContextError.Code,
        _ message: String,
        _ obstacle: TrailEvent.ContextOrdinal? = nil
    ) -> ContextError {
        // Where nothing stands in the way, the other context is the one that the caller is in.
        let other = obstacle ?? ContextLayers.readerOrdinal(beside: self.lifetime.ordinal, in: self.app)
        self.app.recordProblem(
            FlightRecorder.Finding(
                kind: kind,
                other: other == 0 ? nil : other,
                message: message,
                site: self.site,
                ownerSite: self.lifetime.beganAt == 0 ? nil : self.lifetime.site,
                ageNanoseconds: self.lifetime.beganAt == 0 ? nil : self.lifetime.age
            ),
            context: self.lifetime.ordinal,
            unit: Scope.readerUnit
        )
        return ContextError(code, message, site: self.site)
    }
}

extension Scope {
    /// The unit of a context: the one it was pushed in, or, where that has ended and its work goes on in a stream, the caller's.
    static func unit(for unit: WorkUnit?) -> WorkUnit? {
        guard let unit, unit.isEnded else { return unit }
        return self.current?.unit ?? unit
    }

    /// The unit of whoever runs into a problem: the one it is in; on a bare thread outside any at least the thread's.
    static var readerUnit: WorkUnit? {
        if let unit = self.current?.unit { return unit }
        return ExecutionID.isInTask ? nil : ThreadState.current.worker.currentUnit()
    }
}

extension ContextLayers {
    /// The layers that a nested scope inherits from: those of the caller, unless they, or what they show, have ended.
    static var inheritable: ContextLayers? {
        guard let layers = self.here, !layers.hasEnded else { return nil }
        return layers
    }

    /// The same for the scope that the caller is in, when it is known already.
    static func inheritable(from scope: Scope) -> ContextLayers? {
        guard let layers = self.of(scope), !layers.hasEnded else { return nil }
        return layers
    }

    /// The number of the context that the caller is in, as the trail of `app` knows it, unless it is the owner's own.
    static func readerOrdinal(
        beside owner: TrailEvent.ContextOrdinal?,
        in app: App
    ) -> TrailEvent.ContextOrdinal? {
        guard let layers = self.here, !layers.hasEnded else { return nil }
        let visible = layers.visible
        guard let ordinal = visible.ordinal, ordinal != owner, visible.app?.app.recorder === app.recorder else {
            return nil
        }
        return ordinal
    }

    /// The scope and layers in which the caller may push. A bare thread gets its root on demand.
    static func writable(for what: String, _ site: Site) throws(ContextError) -> (Scope, ContextLayers) {
        let caller = ExecutionID.current
        if let layers = self.here, let scope = Scope.current {
            if layers.hasEnded {
                throw ContextError(
                    .contextEnded,
                    "cannot \(what): the scope around this task has ended; enter one of its own with withAppContext",
                    site: site
                )
            }
            guard layers.pusher == caller else {
                throw ContextError(
                    .notOwner,
                    "cannot \(what): the scope belongs to another task; use withAppContext or withRequestContext here",
                    site: site
                )
            }
            return (scope, layers)
        }
        let layers = ContextLayers(owner: caller, base: .nothing)
        guard let scope = Scope.setLayers(layers, for: caller) else {
            throw ContextError(
                .noScope,
                "cannot \(what): a task needs a scope first; use withAppContext or withRequestContext",
                site: site
            )
        }
        return (scope, layers)
    }
}
