// `g`: the namespace of an app context.

internal import ContextVariables
internal import ContrailRecorder

/// A typed name in `g`. Declare it once and give the author's own accessor, if any, the name without `Key`.
///
/// ```swift
/// enum OrderIDKey: NamespaceKey { typealias Value = Int; static let name = "order_id" }
/// context.g[OrderIDKey.self] = 42
/// ```
public protocol NamespaceKey<Value> {
    /// The type of the value.
    associatedtype Value: Sendable
    /// The name in `g`, in the trail and in the views by name.
    static var name: String { get }
}

/// `g`: one ordered table of an app context, which tells *absent* from *stored nil*.
///
/// `g["name"]`, dynamic members and typed keys are views of the same table. Every change leaves a record with its writer's
/// site. May be used from any thread; each call is atomic. A copy is the same `g`, and holds its context. Ports `G-01` to `G-08`.
@dynamicMemberLookup
public struct ContextNamespace: Sendable {
    // A view of the context, so that asking for `g` counts nothing: a count up and down costs as much as finding a value.
    @usableFromInline let context: AppContext

    @inlinable
    @inline(__always)
    init(of context: AppContext) {
        self.context = context
    }

    /// What holds the values, made when it is first asked for.
    package var storage: NamespaceStorage { self.withStorage { $0 } }

    /// Lends the storage, which the context holds.
    @inline(__always)
    private func withStorage<Result>(_ body: (NamespaceStorage) -> Result) -> Result {
        self.context.lentNamespace._withUnsafeGuaranteedRef(body)
    }

    @inline(__always)
    private func read(_ name: String, _ site: Site) -> (any Sendable)? { self.withStorage { $0.read(name, site) } }

    @inline(__always)
    private func stored(_ name: String, _ site: Site) -> (any Sendable)? { self.withStorage { $0.stored(name, site) } }

    @discardableResult
    private func removeValue(_ name: String, _ site: Site) -> (any Sendable)? {
        self.withStorage { $0.removeValue(name, site) }
    }

    // MARK: - Reading

    /// The value under a name; throws ``ContextError/Code/missingKey`` when the name is absent. A stored nil is a value.
    public func get(
        _ name: String,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> (any Sendable)? {
        if let value = self.read(name, Site(fileID: fileID, line: line)) { return StoredNil.stored(value) }
        throw self.missing(name, Site(fileID: fileID, line: line))
    }

    /// The value under a name, or `fallback` when the name is absent. A stored nil is returned, not the fallback.
    public func get(
        _ name: String,
        default fallback: (any Sendable)?,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) -> (any Sendable)? {
        if let value = self.read(name, Site(fileID: fileID, line: line)) { StoredNil.stored(value) } else { fallback }
    }

    /// The value under a name as a type; throws ``ContextError/Code/missingKey`` or ``ContextError/Code/wrongType``.
    public func get<Value: Sendable>(
        _ name: String,
        as type: Value.Type,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> Value {
        let value = try self.get(name, fileID: fileID, line: line)
        if let value = value as? Value { return value }
        throw ContextError(
            .wrongType,
            "g[\"\(name)\"] is not a \(type): read it as the type it was stored with",
            site: Site(fileID: fileID, line: line)
        )
    }

    /// Whether the name is there, be it with a stored nil.
    public func contains(_ name: String) -> Bool {
        self.withStorage { $0.contains(name) }
    }

    /// The names in order of insertion; overwriting keeps the place.
    public var names: [String] {
        self.withStorage { $0.names }
    }

    /// The value under a name; `nil` when it is absent or a stored nil, which ``contains(_:)`` tells apart.
    ///
    /// Setting stores the value, and setting `nil` stores nil, as Flask does; ``remove(_:fileID:line:)`` removes.
    public subscript(name: String, fileID: StaticString = #fileID, line: UInt = #line) -> (any Sendable)? {
        get { self.stored(name, Site(fileID: fileID, line: line)) }
        nonmutating set { self.withStorage { $0.set(name, newValue, Site(fileID: fileID, line: line)) } }
    }

    /// The value under a name, as with `g["name"]`. The language gives it no call site, so the trail does
    /// not know the writer's: use another view where that matters.
    public subscript(dynamicMember name: String) -> (any Sendable)? {
        get { self.stored(name, .unknown) }
        nonmutating set { self.withStorage { $0.set(name, newValue, .unknown) } }
    }

    /// The value under a typed key; `nil` when it is absent. Setting `nil` removes it.
    public subscript<Key: NamespaceKey>(
        key: Key.Type,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) -> Key.Value? {
        get {
            // An absent value must not reach the cast: to an optional `Key.Value` nothing would become a stored nil.
            guard let value = self.read(Key.name, Site(fileID: fileID, line: line)) else { return nil }
            return StoredNil.stored(value) as? Key.Value
        }
        nonmutating set {
            let site = Site(fileID: fileID, line: line)
            if let newValue {
                self.withStorage { $0.set(Key.name, newValue, site) }
            } else {
                self.removeValue(Key.name, site)
            }
        }
    }

    // MARK: - Changing

    /// Removes a name and gives its value; throws ``ContextError/Code/missingKey`` when it is absent.
    @discardableResult
    public func pop(
        _ name: String,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) throws(ContextError) -> (any Sendable)? {
        let site = Site(fileID: fileID, line: line)
        if let value = self.removeValue(name, site) { return StoredNil.stored(value) }
        throw self.missing(name, site)
    }

    /// Removes a name and gives its value, or `fallback` when it is absent.
    @discardableResult
    public func pop(
        _ name: String,
        default fallback: (any Sendable)?,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) -> (any Sendable)? {
        if let value = self.removeValue(name, Site(fileID: fileID, line: line)) {
            StoredNil.stored(value)
        } else {
            fallback
        }
    }

    /// The value under a name; when it is absent, first stores `value` there, be it nil (`G-05`).
    @discardableResult
    public func setDefault(
        _ name: String,
        _ value: (any Sendable)? = nil,
        fileID: StaticString = #fileID,
        line: UInt = #line
    ) -> (any Sendable)? {
        let site = Site(fileID: fileID, line: line)
        let existing = self.withStorage { $0.setIfAbsent(name, value, site) }
        return if let existing { StoredNil.stored(existing) } else { value }
    }

    /// Removes a name; throws ``ContextError/Code/missingKey`` when it is absent.
    public func remove(_ name: String, fileID: StaticString = #fileID, line: UInt = #line) throws(ContextError) {
        try self.pop(name, fileID: fileID, line: line)
    }

    /// Writes all of `g` to the trail, under a label of the caller's.
    public func snapshot(_ label: String) {
        let unit = LifetimeUnit(Scope.current?.unit?.label)
        self.withStorage { $0.recordSnapshot(label: label, context: nil, unit: unit, onlyIfChanged: false) }
    }

    private func missing(_ name: String, _ site: Site) -> ContextError {
        ContextError(
            .missingKey,
            "\"\(name)\" is not in g: set it first, or read it with a default",
            site: site
        )
    }
}

extension ContextNamespace: Sequence {
    /// Iterates over the names in order of insertion, as they were when the iteration began.
    public func makeIterator() -> IndexingIterator<[String]> { self.names.makeIterator() }
}

extension ContextNamespace: Equatable {
    /// Whether both are the `g` of the same context. What is in it is not compared.
    public static func == (left: ContextNamespace, right: ContextNamespace) -> Bool { left.context === right.context }
}
