// How a scope is entered, and what becomes of an entry that fails.

internal import ContextVariables
internal import ContrailRecorder
internal import Synchronization

extension ContextScope {
    /// What stopped the entry, and how far it had come.
    enum Obstacle: Error {
        /// A receiver of `appcontext_pushed` threw: nothing but the app context is pushed.
        case receiver(any Error)
        /// Opening the session or matching the path threw: everything is pushed.
        case opening(any Error)

        var error: any Error {
            switch self {
            case .receiver(let error), .opening(let error): error
            }
        }
    }

    /// Pushes the contexts. A failure undoes itself: the request is unbound, and an app context of its own is popped with the
    /// error.
    package nonisolated(nonsending) func enter() async throws {
        guard let obstacle = self.push() else { return }
        await self.abandonAwaited(obstacle)
        throw obstacle.error
    }

    /// Undoes the entry.
    nonisolated(nonsending) func abandonAwaited(_ obstacle: Obstacle) async {
        if self.abandon(obstacle) { await self.finish(Outcome(error: obstacle.error)) }
    }

    /// Undoes the entry, for a synchronous caller.
    func abandonNow(_ obstacle: Obstacle) {
        guard self.abandon(obstacle) else { return }
        if self.needsAsync {
            self.finishLater(Outcome(error: obstacle.error))
        } else {
            _ = self.finish(Outcome(error: obstacle.error))
        }
    }

    /// Goes on with the entry in spite of an error that nobody can be told of; the trail has it.
    func goOn(after obstacle: Obstacle) {
        switch obstacle {
        case .receiver: if let next = self.pushRequest() { self.recordOpening(next) }
        case .opening: self.recordOpening(obstacle)
        }
    }

    private func recordOpening(_ obstacle: Obstacle) {
        if let request { request.app.recordFailure("open the session", obstacle.error, context: request) }
    }

    /// Pushes the contexts. Returns what stopped it.
    func push() -> Obstacle? {
        if self.ownsApp {
            if !self.isCounted {
                self.appContext.beginPush(
                    site: self.site,
                    parent: self.parent,
                    unit: self.unit,
                    by: self.owner,
                    for: self.request
                )
            }
            if self.signals.appContextPushed.hasReceivers {
                do {
                    try self.run { try self.appContext.announcePush(unit: self.appContext.lifetime.label) }
                } catch {
                    return .receiver(error)
                }
            }
        }
        return self.pushRequest()
    }

    /// Where the request finds its unit: nobody may ask for it.
    private var requestPlace: UnitPlace {
        self.isAlone ? .within(self.borrowedContext, self.reservedEpoch) : UnitPlace(self.unit)
    }

    private func pushRequest() -> Obstacle? {
        guard let borrowed = self.borrowedRequest else { return nil }
        return borrowed._withUnsafeGuaranteedRef { self.push($0) }
    }

    @inline(__always)
    private func push(_ request: App.RequestContext) -> Obstacle? {
        self.bindRequest()
        if !self.isRequestCounted { self.beginPush(of: request) }
        if let left { left.report(reader: (request.app, request.lifetime.current), self.site) }
        do {
            if request.opensForUser {
                try self.run { try request.open() }
            } else {
                try request.open()
            }
            return nil
        } catch {
            return .opening(error)
        }
    }

    private func beginPush(of request: App.RequestContext) {
        // Nothing of the user's was called since the app context was pushed, unless there are receivers.
        let time = self.isAlone && !self.signals.appContextPushed.hasReceivers ? self.openedAt : nil
        self.borrowedContext._withUnsafeGuaranteedRef { context in
            request.beginPush(
                on: context,
                at: time,
                site: self.site,
                in: self.requestPlace,
                by: self.owner,
                ownsApp: self.ownsApp
            )
        }
    }

    /// Undoes the entry as far as nothing has to be called. Returns whether the app context is still to be finished.
    private func abandon(_ obstacle: Obstacle) -> Bool {
        switch obstacle {
        case .receiver(let error):
            guard !self.isFinished.exchange(true, ordering: .acquiringAndReleasing) else { return false }
            self.leave()
            // Its unit is the app context's: it goes first.
            if self.isRequestCounted { self.request?.undoPush(error, by: self.owner, site: self.site) }
            self.appContext.undoPush(error, by: self.owner, site: self.site)
            return false
        case .opening(let error):
            self.unbindRequest()
            self.requestIsUndone.store(true, ordering: .releasing)
            self.request?.undoPush(error, by: self.owner, site: self.site)
            return true
        }
    }
}
