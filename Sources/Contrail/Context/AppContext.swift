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
    /// The namespace, made with the context and kept over its lifetimes.
    public let g: ContextNamespace

    let origin: TrailEvent.Push.Origin
    let lifetime = LifetimeState()

    private let ownNamespace: (any Sendable)?

    /// Makes a context. It is not current until it is pushed.
    public convenience init(_ app: App) {
        self.init(app, origin: .manual)
    }

    init(_ app: App, origin: TrailEvent.Push.Origin) {
        self.app = app
        self.g = ContextNamespace(app: app, reportsOldValues: origin != .test)
        self.origin = origin
        self.ownNamespace = app.makeNamespace?()
    }

    /// The object that the app made for this context beside `g`, as a type (`G-11`); throws ``ContextError/Code/wrongType``
    /// when the app makes none, or one of another type.
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
    public var variables: UnitVariables { UnitVariables(self.lifetime.unit) }

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
