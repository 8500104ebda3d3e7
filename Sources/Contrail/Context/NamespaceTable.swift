// What `g` keeps its values in: the names in order, and what is known of each.

internal import ContextVariables
internal import ContrailRecorder

/// A nil that was stored, where an absent value is something else. Values are kept without an optional around them: copying an
/// optional of an unknown type costs several times as much.
struct StoredNil: Sendable {
    /// The value as it is kept.
    @inline(__always)
    static func keeping(_ value: consuming (any Sendable)?) -> any Sendable {
        if let value { value } else { StoredNil() }
    }

    /// The value as it was stored.
    @inline(__always)
    static func stored(_ kept: any Sendable) -> (any Sendable)? {
        self.isKept(kept) ? nil : kept
    }

    /// Whether the value stands for a nil. Opened by the call: asking an existential for its type takes longer.
    @inline(__always)
    static func isKept<Value>(_ value: Value) -> Bool { Value.self == StoredNil.self }
}

/// What is under one name in `g`.
struct NamespaceEntry: Sendable {
    /// As ``StoredNil`` keeps it.
    var value: any Sendable
    /// The name as the trail keeps it; nil while nothing has been recorded of it.
    var recorded: RecordedName?
    /// In which lifetime, where and in which unit of work it was set.
    var ordinal: TrailEvent.ContextOrdinal
    var site: Site
    var epoch: Epoch?
}

/// An ordered table of names. Most have a handful, which are compared one after the other: that takes less than a hash.
struct NamespaceTable: Sendable {
    private(set) var names: [String] = []
    /// In the order of the names.
    var entries: [NamespaceEntry] = []
    /// How often anything was changed.
    var version = 0
    /// When the lifetime before the present one ended, in nanoseconds of the monotonic clock.
    var previousEnd: UInt64 = 0
    /// The unit of work of the last recorded change, in the words of the recorder.
    var unit: RecordedUnit?
    /// What the last snapshot at an end or failure showed; `nil` before the first of a lifetime.
    var recorded: (version: Int, label: String)?

    /// Where each name is, once there are many.
    private var places: [String: Int] = [:]
    private static let few = 8

    /// The place of a name, good until the table is changed; `nil` when it is absent.
    @inline(__always)
    func place(of name: String) -> Int? {
        if self.names.count > Self.few { return self.places[name] }
        for place in self.names.indices where self.names[place] == name { return place }
        return nil
    }

    /// Adds a name, which must be absent.
    mutating func append(_ entry: consuming NamespaceEntry, _ name: String) {
        self.names.append(name)
        self.entries.append(entry)
        if self.names.count == Self.few + 1 {
            self.findPlaces()
        } else if self.names.count > Self.few {
            self.places[name] = self.names.count - 1
        }
    }

    /// Removes what is at a place, and closes the gap.
    mutating func remove(at place: Int) -> NamespaceEntry {
        self.names.remove(at: place)
        self.findPlaces()
        return self.entries.remove(at: place)
    }

    private mutating func findPlaces() {
        self.places = [:]
        guard self.names.count > Self.few else { return }
        for (place, name) in self.names.enumerated() { self.places[name] = place }
    }
}
