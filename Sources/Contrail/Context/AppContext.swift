// The app context.

public import ContextVariables
internal import ContrailRecorder

/// An app context: it makes its app current and owns a namespace `g`.
///
/// Usually ``withAppContext(_:worker:fileID:line:_:)`` makes, pushes and pops one. Made by hand it is pushed with
/// ``push(fileID:line:)`` and popped with `pop(outcome:)`. A context that was popped completely may be pushed again: `g` is
/// still there, and its last pop tears it down again (`CTX-01` to `CTX-09`).
public final class AppContext: ContextDrawing {
    /// The app that is current while the context is.
    public let app: App
    /// The namespace, made when it is first asked for and kept over the lifetimes of the context.
    @inlinable public var g: ContextNamespace { ContextNamespace(of: self) }

    let origin: TrailEvent.Push.Origin
    let lifetime: LifetimeState

    /// What the app made for the context beside `g`.
    private let ownNamespace: OnDemand<OwnNamespace>
    private let keptNamespace = OnDemand<NamespaceStorage>()

    deinit {
        // Before everything else: what dies with `g` may use the app and what the app made beside `g`.
        self.keptNamespace.empty()
    }

    /// An object of the app's. In an object of ours, for most contexts have none, and the end of nothing costs nothing then.
    private final class OwnNamespace: Sendable {
        let object: any Sendable

        init(_ object: any Sendable) {
            self.object = object
        }
    }

    /// The namespace, if anybody has asked for it.
    @inline(__always)
    var touchedNamespace: NamespaceStorage? { self.keptNamespace.object }

    /// The namespace, made if need be, to be borrowed for as long as the context is held.
    @inline(__always)
    var lentNamespace: Unmanaged<NamespaceStorage> {
        self.keptNamespace.borrowed ?? self.madeNamespace()
    }

    @inline(never)
    private func madeNamespace() -> Unmanaged<NamespaceStorage> {
        let namespace = NamespaceStorage(app: self.app, reportsOldValues: self.origin != .test)
        // Before anybody can find it: who sets a value at once sets it in this lifetime.
        namespace.adopt(self.lifetime.ordinal)
        // Another caller's, if that was faster. The place holds it for as long as the context lives.
        let kept = self.keptNamespace.store(namespace)
        // A lifetime that begins meanwhile either finds the namespace or is found here: both ask under the lifetime's lock.
        kept.adopt(self.lifetime.ordinal)
        return Unmanaged.passUnretained(kept)
    }

    /// Makes a context. It is not current until it is pushed.
    public convenience init(_ app: App) {
        self.init(app, origin: .manual)
    }

    init(_ app: App, origin: TrailEvent.Push.Origin) {
        self.app = app
        self.origin = origin
        self.lifetime = LifetimeState()
        self.ownNamespace = OnDemand(app.makeNamespace.map { OwnNamespace($0()) })
    }

    /// Makes a context together with its first push, which is counted already.
    init(
        _ app: App,
        origin: TrailEvent.Push.Origin = .manual,
        by owner: ExecutionID,
        at time: UInt64,
        site: Site,
        in place: consuming UnitPlace,
        recorded: RecordedUnit?,
        ordinal: TrailEvent.ContextOrdinal
    ) {
        self.app = app
        self.origin = origin
        self.lifetime = LifetimeState(by: owner, at: time, site: site, in: place, recorded: recorded, ordinal: ordinal)
        self.ownNamespace = OnDemand(app.makeNamespace.map { OwnNamespace($0()) })
    }

    /// The object that the app made for this context beside `g`, as a type (`G-11`); throws ``ContextError/Code/wrongType``
    /// when the app makes none, or one of another type. It belongs to the context, and must not keep the context or its ``g``.
    public func namespace<Namespace: Sendable>(
        as type: Namespace.Type,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> Namespace {
        if let namespace = self.ownNamespace.object?.object as? Namespace { return namespace }
        throw ContextError(
            .wrongType,
            "the app \(self.app.name) makes no \(type) for its contexts: give App(_:namespace:) a closure that does",
            site: Site(fileID: fileID, line: line)
        )
    }

    /// The recyclable values of the unit of work in which the context was pushed, to read many of them.
    public var variables: UnitVariables { UnitVariables(Scope.unit(for: self.lifetime.unit)) }

    /// Whether the context is pushed anywhere.
    public var isPushed: Bool { self.lifetime.identity != 0 }
}

extension AppContext: CustomStringConvertible {
    /// `<AppContext of orders, pushed at Module/File.swift:12>`.
    public var description: String {
        let lifetime = self.lifetime.current
        return lifetime.depth > 0
            ? "<AppContext of \(self.app.name), pushed at \(lifetime.site)>"
            : "<AppContext of \(self.app.name), not pushed>"
    }
}
