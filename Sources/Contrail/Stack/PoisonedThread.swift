// Work that begins on a thread on which earlier work left a context pushed.

internal import ContextVariables
internal import ContrailRecorder

/// Notices, when a new unit of work begins on a bare thread, that earlier work never popped what it pushed there.
///
/// Where one piece of work ends and the next begins the thread itself does not say. It is known when an entry names its worker,
/// and on a thread of a pool, where requests do not nest by hand, when a hand-off runs and when a request is pushed.
enum PoisonedThread {
    /// Checks at the begin of borrowed work.
    static func check(_ caller: ExecutionID, for context: AppContext?, _ site: Site) {
        // Elsewhere the thread's own work may well be going on around the hand-off.
        guard let layers = self.root(of: caller), ThreadState.current.isPooled else { return }
        self.report(layers.declareRemains(), reader: context.map { ($0.app, $0.lifetime.current) }, site)
    }

    /// What the push of a request finds that earlier work left on its thread; nil when there is nothing, or the caller is a task. What was
    /// pushed is declared remains then, what was set is gone from the thread, and both are for the caller to report.
    static func find(_ caller: ExecutionID, naming worker: Worker?) -> Findings? {
        guard !caller.isTask else { return nil }
        let (pushes, values) = (self.findRemains(caller, naming: worker), self.takeStrayValues(naming: worker))
        return pushes.isEmpty && values.isEmpty ? nil : Findings(pushes: pushes, values: values)
    }

    /// What was found. An object, so that whoever keeps none keeps one word.
    final class Findings: Sendable {
        fileprivate let pushes: [ContextPush]
        fileprivate let values: [StrayValue]

        fileprivate init(pushes: [ContextPush], values: [StrayValue]) {
            self.pushes = pushes
            self.values = values
        }

        /// Records a problem for each, with the number that the push gave the reader.
        func report(reader: (app: App, lifetime: Lifetime), _ site: Site) {
            PoisonedThread.report(self.pushes, reader: reader, site)
            PoisonedThread.report(self.values, reader: reader, site)
        }
    }

    private static func findRemains(_ caller: ExecutionID, naming worker: Worker?) -> [ContextPush] {
        guard let layers = self.root(of: caller) else { return [] }
        guard worker != nil || (layers.topRequest != nil && ThreadState.current.isPooled) else { return [] }
        return layers.declareRemains()
    }

    /// What earlier work set on the thread in contexts that have ended, and never reset. Only where requests do not nest by hand:
    /// elsewhere a variable stays until it is reset.
    private static func takeStrayValues(naming worker: Worker?) -> [StrayValue] {
        guard let root = Scope.threadRootInSight, root.layers?.pushCount ?? 0 == 0,
            worker != nil || ThreadState.current.isPooled
        else {
            return []
        }
        return ThreadState.current.takeStrayValues()
    }

    private static func report(_ strays: [StrayValue], reader: (app: App, lifetime: Lifetime), _ site: Site) {
        for stray in strays {
            guard let owner = stray.place.owner as? LifetimeOwner else { continue }
            let isSameTrail = owner.app.recorder === reader.app.recorder
            owner.app.recordProblem(
                FlightRecorder.Finding(
                    kind: .poisonedWorker,
                    other: isSameTrail && reader.lifetime.ordinal != 0 ? reader.lifetime.ordinal : nil,
                    message: "the variable \"\(owner.app.recordedName(stray.variable))\" was left set on "
                        + "\(ThreadState.current.worker) by earlier work: reset its token, or use withValue",
                    site: site,
                    ownerSite: Site(fileID: stray.place.fileID, line: stray.place.line),
                    ageNanoseconds: MonotonicClock.nanoseconds &- stray.place.time
                ),
                context: owner.ordinal,
                unit: ThreadState.current.worker.currentUnit()
            )
        }
    }

    /// The layers of the caller's thread when something is pushed there, and no scope hides them.
    private static func root(of caller: ExecutionID) -> ContextLayers? {
        guard !caller.isTask, let layers = Scope.threadRootInSight?.layers as? ContextLayers, layers.pushCount > 0
        else {
            return nil
        }
        return layers
    }

    private static func report(_ remains: [ContextPush], reader: (app: App, lifetime: Lifetime)?, _ site: Site) {
        for remains in remains {
            let (context, lifetime) = remains.described
            let app = remains.app
            let isSameTrail = reader.map { $0.app.recorder === app.recorder } ?? false
            let other = isSameTrail ? reader?.lifetime.ordinal ?? 0 : 0
            app.recordProblem(
                FlightRecorder.Finding(
                    kind: .poisonedWorker,
                    other: other == 0 ? nil : other,
                    message:
                        "\(context), pushed at \(remains.site), was left on \(ThreadState.current.worker) by earlier work: "
                        + "pop it where it was pushed, or use the closure form",
                    site: site,
                    ownerSite: remains.site,
                    ageNanoseconds: lifetime.age
                ),
                context: lifetime.ordinal == 0 ? nil : lifetime.ordinal,
                unit: ThreadState.current.worker.currentUnit()
            )
        }
    }
}

extension ContextPush {
    /// The app of what was pushed.
    fileprivate var app: App {
        switch self.subject {
        case .app(let context): context.app
        case .request(let context, _): context.app
        }
    }

    /// What was pushed, in words, and its lifetime.
    fileprivate var described: (String, Lifetime) {
        switch self.subject {
        case .app(let context): ("<AppContext of \(context.app.name)>", context.lifetime.current)
        case .request(let context, _): (context.description, context.lifetime.current)
        }
    }
}
