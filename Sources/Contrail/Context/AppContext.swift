// The app context.

public import ContextVariables
internal import ContrailRecorder
internal import Synchronization

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

    private let ownNamespace: (any Sendable)?
    /// A counted reference to the namespace once it is made: written at most once, and given back in `deinit`. What is read
    /// here is therefore alive for as long as the context, which its reader holds. `AtomicLazyReference` is the same at five
    /// times the price.
    private let keptNamespace = Atomic<UInt>(0)

    deinit {
        // Nobody else holds the context any more; the reference is the one that was counted when it was stored.
        Self.namespace(at: self.keptNamespace.load(ordering: .acquiring))?.release()
    }

    /// The namespace, if anybody has asked for it.
    @inline(__always)
    var touchedNamespace: NamespaceStorage? {
        Self.namespace(at: self.keptNamespace.load(ordering: .acquiring))?.takeUnretainedValue()
    }

    /// The namespace, made if need be, to be borrowed for as long as the context is held.
    @inline(__always)
    var lentNamespace: Unmanaged<NamespaceStorage> {
        Self.namespace(at: self.keptNamespace.load(ordering: .acquiring)) ?? self.madeNamespace()
    }

    /// The namespace at an address that was read from the field above; nil for 0.
    @inline(__always)
    private static func namespace(at address: UInt) -> Unmanaged<NamespaceStorage>? {
        UnsafeRawPointer(bitPattern: address).map { Unmanaged.fromOpaque($0) }
    }

    @inline(never)
    private func madeNamespace() -> Unmanaged<NamespaceStorage> {
        let namespace = NamespaceStorage(app: self.app, reportsOldValues: self.origin != .test)
        // Before anybody can find it: who sets a value at once sets it in this lifetime.
        namespace.adopt(self.lifetime.ordinal)
        // Counted for the context, and given back at once when another caller was faster.
        let counted = Unmanaged.passRetained(namespace)
        let (isFirst, first) = self.keptNamespace.compareExchange(
            expected: 0,
            desired: UInt(bitPattern: counted.toOpaque()),
            ordering: .acquiringAndReleasing
        )
        if !isFirst { counted.release() }
        let winner = isFirst ? counted : Self.namespace(at: first) ?? counted
        // A lifetime that begins meanwhile either finds the namespace or is found here: both ask under the lifetime's lock.
        winner._withUnsafeGuaranteedRef { $0.adopt(self.lifetime.ordinal) }
        return winner
    }

    /// Makes a context. It is not current until it is pushed.
    public convenience init(_ app: App) {
        self.init(app, origin: .manual)
    }

    init(_ app: App, origin: TrailEvent.Push.Origin) {
        self.app = app
        self.origin = origin
        self.lifetime = LifetimeState()
        self.ownNamespace = app.makeNamespace?()
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
        self.ownNamespace = app.makeNamespace?()
    }

    /// The object that the app made for this context beside `g`, as a type (`G-11`); throws ``ContextError/Code/wrongType``
    /// when the app makes none, or one of another type. It belongs to the context, and must not keep the context or its ``g``.
    public func namespace<Namespace: Sendable>(
        as type: Namespace.Type,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> Namespace {
        if let namespace = self.ownNamespace as? Namespace { return namespace }
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
