// One pop of an imperative push, with teardown when it is the last.

internal import ContextVariables
internal import ContrailRecorder

extension AppContext {
    /// Undoes one push: teardown if it is the last, then `unbind`, the record and `appcontext_popped`. Returns the errors.
    @discardableResult
    func end(_ outcome: Outcome, site: Site, unbind: () -> Void) -> [any Error] {
        var ending = LifetimeEnding(.app(self), outcome: outcome, site: site)
        ending.runHooks()
        unbind()
        return ending.finish()
    }

    /// Undoes one push, as its sync twin does, with async hooks.
    @discardableResult
    nonisolated(nonsending) func end(_ outcome: Outcome, site: Site, unbind: () -> Void) async -> [any Error] {
        var ending = LifetimeEnding(.app(self), outcome: outcome, site: site)
        await ending.runHooks()
        unbind()
        return ending.finish()
    }
}

extension App.RequestContext {
    /// Undoes one push: teardown if it is the last, then `unbind` and the record. Returns the errors.
    @discardableResult
    func end(_ outcome: Outcome, site: Site, unbind: () -> Void) -> [any Error] {
        var ending = LifetimeEnding(.request(self), outcome: outcome, site: site)
        ending.runHooks()
        unbind()
        return ending.finish()
    }

    /// Undoes one push, as its sync twin does, with async hooks.
    @discardableResult
    nonisolated(nonsending) func end(_ outcome: Outcome, site: Site, unbind: () -> Void) async -> [any Error] {
        var ending = LifetimeEnding(.request(self), outcome: outcome, site: site)
        await ending.runHooks()
        unbind()
        return ending.finish()
    }
}
