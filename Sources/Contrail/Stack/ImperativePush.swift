// push() and pop(): the context objects' own way in and out, validated before anything happens.

internal import ContextVariables
internal import ContrailRecorder

extension AppContext {
    /// Makes the context current until it is popped.
    ///
    /// Works inside a scope (`withAppContext`, `withRequestContext`) on the task that entered it, and on a bare thread. Throws
    /// ``ContextError/Code/noScope``, ``ContextError/Code/notOwner`` or ``ContextError/Code/contextEnded`` before any effect.
    /// When a receiver of `appcontext_pushed` throws, the push is undone and its error leaves (`CTX-02`, `CTX-14`).
    public func push(fileID: StaticString = #fileID, line: UInt = #line) throws {
        let site = Site(fileID: fileID, line: line)
        let (scope, layers) = try ContextLayers.writable(for: "push this app context", site)
        try self.push(on: layers, unit: scope.unit, claim: nil, site: site)
    }

    fileprivate func push(
        on layers: ContextLayers,
        unit: WorkUnit?,
        claim: UnitClaim?,
        for request: App.RequestContext? = nil,
        site: Site
    ) throws {
        let around = layers.visible.app
        let parent = around === self ? nil : self.app.ordinal(of: around)
        self.beginPush(site: site, parent: parent, unit: unit, for: request)
        layers.append(ContextPush(subject: .app(self), claim: claim, owner: layers.pusher, site: site))
        do {
            try self.announcePush(unit: unit?.label)
        } catch {
            layers.remove(self)
            self.undoPush(error, site: site)
            throw error
        }
    }

    /// Undoes the last push; the last of them all tears the context down first.
    ///
    /// Validated before any effect: throws ``ContextError/Code/notPushed``, ``ContextError/Code/notActive``,
    /// ``ContextError/Code/foreignPop`` or ``ContextError/Code/asyncHooks``, and may be repeated then. Afterwards throws
    /// ``ContextError/Code/teardownFailed`` with everything that hooks and receivers threw (`CTX-03`, `CTX-08`, `CTX-09`).
    public func pop(outcome: Outcome = .ok, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        let (layers, claim) = try self.validatePop(site)
        if self.lifetime.current.isAtLastPop, self.app.hasAsyncAppHooks {
            throw ContextError.asyncHooks(self.app, site)
        }
        let errors = self.end(outcome, site: site) { layers.remove(self) }
        if let claim, !layers.handOverClaim(claim, of: self) { claim.release() }
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    /// Undoes the last push, as its synchronous twin does; async hooks run shielded from cancellation.
    public nonisolated(nonsending) func pop(
        outcome: Outcome = .ok,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        let (layers, claim) = try self.validatePop(site)
        let errors = await self.end(outcome, site: site) { layers.remove(self) }
        if let claim, !layers.handOverClaim(claim, of: self) { claim.release() }
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    /// Enters the context as Flask's `with` does: the same as ``push(fileID:line:)``, and gives the context.
    @discardableResult
    public func enter(fileID: StaticString = #fileID, line: UInt = #line) throws -> AppContext {
        try self.push(fileID: fileID, line: line)
        return self
    }

    /// Leaves the context as Flask's `with` does: pops it with the error of its body, or none.
    public func exit(error: (any Error)? = nil, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError)
    {
        try self.pop(outcome: error.map(Outcome.init(error:)) ?? .ok, fileID: fileID, line: line)
    }

    /// Leaves the context, as its synchronous twin does, with async hooks.
    public nonisolated(nonsending) func exit(
        error: (any Error)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws(ContextError) {
        try await self.pop(outcome: error.map(Outcome.init(error:)) ?? .ok, fileID: fileID, line: line)
    }

    private func validatePop(_ site: Site) throws(ContextError) -> (ContextLayers, UnitClaim?) {
        let layers = try PopValidation(self.app, "<AppContext of \(self.app.name)>", self.lifetime.current, site)
            .validate { layers in
                layers.topApp.map { $0.context === self ? .itself : .other($0.context, seenBy: self.app) }
            }
        return (layers, layers.topApp?.claim)
    }
}

extension App.RequestContext {
    /// Makes the request current until it is popped, on the current app context of its app or on one of its own.
    ///
    /// Works where ``AppContext/push(fileID:line:)`` does, and throws what that throws. When the push fails it is undone: an
    /// app context of its own is popped with the error, nothing else is called (`REQ-02`, `REQ-05`).
    public func push(fileID: StaticString = #fileID, line: UInt = #line) throws {
        try self.push(checksThread: true, Site(fileID: fileID, line: line))
    }

    /// Pushes the context, both steps.
    ///
    /// - Parameter checksThread: Whether what is left on the thread is reported: not where it was left on purpose.
    func push(checksThread: Bool, _ site: Site) throws {
        try self.pushUnopened(worker: nil, checksThread: checksThread, site)
        do {
            try self.open()
        } catch {
            self.undoUnopened(error, site)
            throw error
        }
    }

    /// The first of the two steps of a push: the request is current, its session is not open. A failure undoes itself.
    func pushUnopened(worker: Worker?, checksThread: Bool = true, _ site: Site) throws {
        // Reported with the number that the push gives the request.
        let left = checksThread ? PoisonedThread.find(ExecutionID.current, naming: worker) : nil
        defer { left?.report(reader: (self.app, self.lifetime.current), site) }
        let (scope, layers) = try ContextLayers.writable(for: "push this request context", site)
        let claim = UnitClaim.forRequest(
            of: self.app,
            worker: worker,
            in: scope,
            caller: ExecutionID.current,
            isInside: ContextLayers.inheritable?.visible.app != nil
        )
        if let recycling = claim.recycling { self.app.record(recycling) }
        if let current = layers.visible.app, current.app === self.app, !layers.isRemains(current) {
            self.beginPush(on: current, site: site, in: .given(claim.unit), ownsApp: false)
            layers.append(
                ContextPush(subject: .request(self, ownedApp: nil), claim: claim, owner: layers.pusher, site: site)
            )
            return
        }
        let context = AppContext(self.app, origin: self.origin)
        do {
            try context.push(on: layers, unit: claim.unit, claim: claim, for: self, site: site)
        } catch {
            claim.release()
            throw error
        }
        self.beginPush(on: context, site: site, in: .given(claim.unit), ownsApp: true)
        layers.append(
            ContextPush(subject: .request(self, ownedApp: context), claim: nil, owner: layers.pusher, site: site)
        )
    }

    /// Undoes the first step after the second has failed: the request is unbound, and an app context that the push owns is
    /// popped with the error (`REQ-11`).
    private func undoUnopened(_ error: any Error, _ site: Site) {
        guard let layers = ContextLayers.here, let push = layers.topRequest, push.context === self else { return }
        let claim = push.ownedApp == nil ? push.claim : layers.topApp?.claim
        layers.remove(self)
        self.undoPush(error, site: site)
        if let context = push.ownedApp {
            if context.app.hasAsyncAppHooks {
                layers.remove(context)
                Housekeeping.end(context, Outcome(error: error), site)
            } else {
                context.end(Outcome(error: error), site: site) { layers.remove(context) }
            }
        }
        claim?.release()
    }

    /// Undoes the last push, with the app context that this push owns; the last of them all tears the context down first.
    ///
    /// Validated before any effect, as ``AppContext/pop(outcome:fileID:line:)`` is (`REQ-06`, `REQ-09`, `REQ-13`).
    public func pop(outcome: Outcome = .ok, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        let (layers, push) = try self.validatePop(site)
        if self.hasAsyncHooks(push) { throw ContextError.asyncHooks(self.app, site) }
        var errors = self.end(outcome, site: site) { layers.remove(self) }
        if let context = push.ownedApp {
            errors += context.end(outcome, site: site) { layers.remove(context) }
        }
        push.claim?.release()
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    /// Undoes the last push, as its synchronous twin does; async hooks run shielded from cancellation.
    public nonisolated(nonsending) func pop(
        outcome: Outcome = .ok,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws(ContextError) {
        let site = Site(fileID: fileID, line: line)
        let (layers, push) = try self.validatePop(site)
        var errors = await self.end(outcome, site: site) { layers.remove(self) }
        if let context = push.ownedApp {
            errors += await context.end(outcome, site: site) { layers.remove(context) }
        }
        push.claim?.release()
        if !errors.isEmpty { throw ContextError.teardownFailed(errors, site) }
    }

    /// Enters the context as Flask's `with` does: the same as ``push(fileID:line:)``, and gives the context.
    @discardableResult
    public func enter(fileID: StaticString = #fileID, line: UInt = #line) throws -> App.RequestContext {
        try self.push(fileID: fileID, line: line)
        return self
    }

    /// Leaves the context as Flask's `with` does: pops it with the error of its body, or none.
    public func exit(error: (any Error)? = nil, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError)
    {
        try self.pop(outcome: error.map(Outcome.init(error:)) ?? .ok, fileID: fileID, line: line)
    }

    /// Leaves the context, as its synchronous twin does, with async hooks.
    public nonisolated(nonsending) func exit(
        error: (any Error)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) async throws(ContextError) {
        try await self.pop(outcome: error.map(Outcome.init(error:)) ?? .ok, fileID: fileID, line: line)
    }

    /// What the push that is being undone brought along.
    private struct PushedRequest {
        let ownedApp: AppContext?
        let claim: UnitClaim?
    }

    private func hasAsyncHooks(_ push: PushedRequest) -> Bool {
        if self.lifetime.current.isAtLastPop, self.app.hasAsyncRequestHooks { return true }
        return push.ownedApp?.lifetime.current.isAtLastPop == true && self.app.hasAsyncAppHooks
    }

    private func validatePop(_ site: Site) throws(ContextError) -> (ContextLayers, PushedRequest) {
        let validation = PopValidation(self.app, self.description, self.lifetime.current, site)
        let layers = try validation.validate { layers in
            guard let top = layers.topRequest else { return nil }
            if top.context !== self { return .other(top.context, seenBy: self.app) }
            guard let ownedApp = top.ownedApp, layers.topApp?.context !== ownedApp else { return .itself }
            return ownedApp.isPushed ? layers.visible.app.map { .other($0, seenBy: self.app) } : .appContextIsGone
        }
        guard let top = layers.topRequest else { throw validation.notPushed() }
        let claim = top.ownedApp == nil ? top.claim : layers.topApp?.claim
        return (layers, PushedRequest(ownedApp: top.ownedApp, claim: claim))
    }
}
