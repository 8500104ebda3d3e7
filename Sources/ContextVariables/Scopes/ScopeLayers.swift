// What a scope asks of the context layers that the room above hangs on it.

/// The context layers of one scope. The room above implements it; this one knows nothing of contexts.
package protocol ScopeLayers: AnyObject, Sendable {
    /// How many imperative pushes there are.
    var pushCount: Int { get }

    /// The unit that an imperative push brought along: the topmost one of those above the lowest `floor` pushes. The owner
    /// alone gets it, everybody else gets nil.
    func pushedUnit(above floor: Int) -> WorkUnit?

    /// Layers of their own whose base is what the caller sees now, without pushes. For a snapshot, or a unit run on a worker.
    func captured() -> any ScopeLayers

    /// The context that the caller is in, to be asked later whether it still runs.
    var ownerHere: (any ScopeOwner)? { get }

    /// A boot value was read in another unit of work.
    func noteBootValue(_ read: BootValueRead)

    /// The unit of a scope that is its own layers and was made without one.
    func makeUnit() -> WorkUnit?

    /// A snapshot that carries these layers is being run by `owner` from now on.
    func enter(by owner: ExecutionID)
}

/// A class of scopes that are their own layers.
package protocol OwnLayers {
    /// The scope, which is of this class, as layers.
    static func layers(of scope: Scope) -> any ScopeLayers
}

extension ScopeLayers {
    /// No unit: most layers hang on scopes that have one, or none at all.
    package func makeUnit() -> WorkUnit? { nil }
}
