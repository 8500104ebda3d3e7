// What is behind `g`: the table with its lock, and what its changes leave in the trail.

internal import ContextVariables
internal import ContrailRecorder
private import Synchronization

/// The values of one `g`. May be used from any thread; each call is atomic.
package final class NamespaceStorage: Sendable {
    private let app: App
    private let table = BriefLock(NamespaceTable())
    /// The lifetime of the owner to which changes are attributed: the one that runs, else the last; 0 before the first.
    private let ordinal = Atomic<TrailEvent.ContextOrdinal>(0)

    /// Whether anything was ever set: set before the table is, and never taken back.
    private let isTouched = Atomic<Bool>(false)

    /// The level that a request asks for; ``noLevel`` when it is the app's.
    private let ownLevel = Atomic<UInt8>(NamespaceStorage.noLevel)
    private static let noLevel = UInt8.max

    /// Whether a value from an earlier lifetime is worth a report: a test client pushes contexts again on purpose.
    private let reportsOldValues: Bool

    init(app: App, reportsOldValues: Bool = true) {
        self.app = app
        self.reportsOldValues = reportsOldValues && app.recorder != nil
    }

    // MARK: - Reading

    /// Whether the name is there.
    func contains(_ name: String) -> Bool {
        self.table.withLock { $0.place(of: name) != nil }
    }

    /// The names in order of insertion.
    var names: [String] {
        self.table.withLock { $0.names }
    }

    /// What is under a name. A value that an earlier lifetime left in another unit of work is reported, once.
    ///
    /// As ``StoredNil`` keeps it; nil when the name is absent.
    func read(_ name: String, _ site: Site) -> (any Sendable)? {
        self.find(name, site) { _ in true }
    }

    /// The same; nil also when nil is stored.
    func stored(_ name: String, _ site: Site) -> (any Sendable)? {
        self.find(name, site) { !StoredNil.isKept($0) }
    }

    @inline(__always)
    private func find(_ name: String, _ site: Site, where isWanted: (any Sendable) -> Bool) -> (any Sendable)? {
        let ordinal = self.ordinal.load(ordering: .relaxed)
        var isOld = false
        let value = self.table.withLock { table -> (any Sendable)? in
            guard let place = table.place(of: name) else { return nil }
            let setIn = table.entries[place].ordinal
            isOld = setIn != ordinal && setIn != 0
            guard isWanted(table.entries[place].value) else { return nil }
            // The only copy: of a value whose type is not known it costs more than finding it.
            return table.entries[place].value
        }
        if isOld, self.reportsOldValues { self.reportOld(name, ordinal, site) }
        return value
    }

    private func reportOld(_ name: String, _ ordinal: TrailEvent.ContextOrdinal, _ site: Site) {
        guard let unit = Scope.readerUnit else { return }
        let old = self.table.withLock { table -> (entry: NamespaceEntry, epoch: Epoch, endedAt: UInt64)? in
            guard let place = table.place(of: name) else { return nil }
            let entry = table.entries[place]
            guard entry.ordinal != ordinal, let epoch = entry.epoch, unit.epoch != epoch else { return nil }
            table.entries[place].ordinal = ordinal
            return (entry, epoch, table.previousEnd)
        }
        guard let (entry, epoch, endedAt) = old else { return }
        let key = self.app.recordedName(name)
        self.app.recordProblem(
            FlightRecorder.Finding(
                kind: .staleRead,
                other: ordinal,
                message:
                    "g[\"\(key)\"] was set in an earlier lifetime of this context, in another unit of work (epoch \(epoch)): "
                    + "make a context for each request instead of pushing one again",
                site: site,
                ownerSite: entry.site,
                ageNanoseconds: MonotonicClock.nanoseconds &- endedAt
            ),
            context: entry.ordinal,
            unit: unit
        )
    }

    // MARK: - Changing

    /// Stores a value.
    func set(_ name: String, _ newValue: consuming (any Sendable)?, _ site: Site) {
        // Moved, not copied: a copy of a value whose type is not known costs more than the rest.
        var value = StoredNil.keeping(newValue)
        let change = self.change(to: value, name)
        self.isTouched.store(true, ordering: .releasing)
        // The replaced value leaves the lock before it is released: it may run user code when it dies.
        self.table.withLock { table in
            guard let place = table.place(of: name) else {
                self.insert(value, name, change, site, into: &table)
                return
            }
            let unit = self.unit(of: change, in: &table)
            table.version += 1
            self.replace(&table.entries[place], name, &value, change, unit, site)
        }
        Self.release(value)
    }

    /// Exchanges a value, which is recorded first. Called under the lock.
    @inline(__always)
    private func replace(
        _ entry: inout NamespaceEntry,
        _ name: String,
        _ value: inout any Sendable,
        _ change: borrowing Change,
        _ unit: LifetimeUnit,
        _ site: Site
    ) {
        let ordinal = self.ordinal.load(ordering: .relaxed)
        if change.isRecorded {
            if entry.recorded == nil { entry.recorded = self.app.recorder?.name(name) }
            self.record(change, entry.recorded, ordinal, unit, site)
        }
        entry.ordinal = ordinal
        entry.site = site
        entry.epoch = change.epoch
        swap(&value, &entry.value)
    }

    /// Where a replaced value ends. Called rather than left to the end of a scope, which may be taken to be earlier.
    @inline(never)
    private static func release(_ value: consuming any Sendable) {}

    /// Adds a name. Called under the lock.
    private func insert(
        _ value: consuming any Sendable,
        _ name: String,
        _ change: borrowing Change,
        _ site: Site,
        into table: inout NamespaceTable
    ) {
        let ordinal = self.ordinal.load(ordering: .relaxed)
        let recorded = change.isRecorded ? self.app.recorder?.name(name) : nil
        if change.isRecorded { self.record(change, recorded, ordinal, self.unit(of: change, in: &table), site) }
        table.version += 1
        table.append(
            NamespaceEntry(
                value: value,
                recorded: recorded,
                ordinal: ordinal,
                site: site,
                epoch: change.epoch
            ),
            name
        )
    }

    /// Stores a value unless the name is there already. Returns what is there then, as ``StoredNil`` keeps it.
    func setIfAbsent(_ name: String, _ value: (any Sendable)?, _ site: Site) -> (any Sendable)? {
        let kept = StoredNil.keeping(value)
        let change = self.change(to: kept, name)
        self.isTouched.store(true, ordering: .releasing)
        return self.table.withLock { table -> (any Sendable)? in
            if let place = table.place(of: name) { return table.entries[place].value }
            self.insert(kept, name, change, site, into: &table)
            return nil
        }
    }

    /// Removes a name. Returns its value as ``StoredNil`` keeps it; nil when it is absent.
    @discardableResult
    func removeValue(_ name: String, _ site: Site) -> (any Sendable)? {
        let key = self.app.isRecording ? self.app.recorder?.name(name) : nil
        let unit = Scope.currentLabel
        return self.table.withLock { table -> (any Sendable)? in
            guard let place = table.place(of: name) else { return nil }
            let old = table.remove(at: place)
            table.version += 1
            if let key {
                self.app.record(context: self.currentOrdinal, unit: unit) { recorder, head in
                    recorder.recordDelete(head, key: key, site: site)
                }
            }
            return old.value
        }
    }

    // MARK: - The trail

    /// Attributes what follows to a lifetime of the owner.
    func beginLifetime(_ ordinal: TrailEvent.ContextOrdinal, after previousEnd: UInt64) {
        self.ordinal.store(ordinal, ordering: .relaxed)
        // A context's first lifetime finds everything as it was made.
        guard previousEnd != 0 else { return }
        self.table.withLock { table in
            table.recorded = nil
            table.previousEnd = previousEnd
        }
    }

    /// Attributes what follows to the lifetime in which the namespace was made, unless a later one has begun.
    func adopt(_ ordinal: TrailEvent.ContextOrdinal) {
        _ = self.ordinal.compareExchange(expected: 0, desired: ordinal, ordering: .relaxed)
    }

    /// Records all values, attributed to `context` or else to the owner.
    ///
    /// With `onlyIfChanged` an empty namespace leaves nothing, and neither does one that such a snapshot has shown as it is
    /// under the same label: a request and its app context do not both write it down.
    func recordSnapshot(
        label: String,
        context: TrailEvent.ContextOrdinal?,
        unit: LifetimeUnit,
        onlyIfChanged: Bool
    ) {
        guard let recorder = self.app.recorder, recorder.isRecording else { return }
        if onlyIfChanged, !self.isTouched.load(ordering: .acquiring) { return }
        let found = self.table.withLock { table -> (names: [String], entries: [NamespaceEntry])? in
            if onlyIfChanged {
                if let recorded = table.recorded, recorded == (table.version, label) { return nil }
                table.recorded = (table.version, label)
            }
            return (table.names, table.entries)
        }
        guard let (names, entries) = found, !entries.isEmpty || !onlyIfChanged else { return }
        let values = zip(names, entries).map { name, entry in
            let recorded = entry.recorded ?? recorder.name(name)
            let keepsValue = self.level >= .full && !recorded.isSecret
            let stored = StoredNil.stored(entry.value)
            let plain = keepsValue ? recorder.keptValue(stored) : RecordedValue(stored)
            let value = recorder.redacted(plain, underSecret: recorded.isSecret)
            return (name: recorded, value: value)
        }
        let time = MonotonicClock.nanoseconds
        self.app.record(context: context ?? self.currentOrdinal ?? 0, unit: unit, at: time) { recorder, head in
            recorder.recordSnapshot(head, label: self.app.recordedName(label), values: values)
        }
    }

    private var currentOrdinal: TrailEvent.ContextOrdinal? {
        let ordinal = self.ordinal.load(ordering: .relaxed)
        return ordinal == 0 ? nil : ordinal
    }

    /// What is recorded of a change, prepared before the lock. Not an optional, whose copies cost more than what is in it.
    private struct Change {
        /// Whether anything is recorded.
        var isRecorded = false
        /// The unit of the writer.
        var epoch: Epoch?
        /// The value as the trail keeps it under an innocent name.
        var value = RecordedValue.null
    }

    /// What is to be recorded of a change to a value, as ``StoredNil`` keeps it.
    @inline(__always)
    private func change(to value: any Sendable, _ name: String) -> Change {
        guard let recorder = self.app.borrowedRecorder else { return Change() }
        return recorder._withUnsafeGuaranteedRef { recorder in
            let appLevel = self.app.level(of: recorder.level)
            guard appLevel != .off else { return Change() }
            let recorded: RecordedValue =
                if self.level(below: appLevel) >= .full {
                    self.keptValue(value, name, recorder)
                } else {
                    StoredNil.isKept(value) ? .null : RecordedValue(present: value)
                }
            return Change(
                isRecorded: true,
                epoch: Scope.currentEpoch,
                value: recorder.redacted(recorded, underSecret: false)
            )
        }
    }

    /// What is kept of a value at the levels that keep values. A secret one must not wait in memory for an encoder.
    @inline(never)
    private func keptValue(_ value: any Sendable, _ name: String, _ recorder: FlightRecorder) -> RecordedValue {
        let stored = StoredNil.stored(value)
        return recorder.name(name).isSecret ? RecordedValue(stored) : recorder.keptValue(stored)
    }

    /// How much is recorded.
    var level: FlightRecorder.Level { self.level(below: self.app.level) }

    @inline(__always)
    private func level(below appLevel: FlightRecorder.Level) -> FlightRecorder.Level {
        let own = self.ownLevel.load(ordering: .relaxed)
        return own == Self.noLevel || appLevel == .off ? appLevel : FlightRecorder.Level(rawValue: own)
    }

    /// Records as much as a request asks for; nil as the app does.
    func follow(_ level: FlightRecorder.Level?) {
        self.ownLevel.store(level?.rawValue ?? Self.noLevel, ordering: .relaxed)
    }

    /// Records a change. Called under the lock, where the order of changes is decided: recording neither waits nor runs anybody's
    /// code.
    private func record(
        _ change: borrowing Change,
        _ name: RecordedName?,
        _ ordinal: TrailEvent.ContextOrdinal,
        _ unit: LifetimeUnit,
        _ site: Site
    ) {
        guard let name else { return }
        self.app.record(context: ordinal, unit: unit, at: MonotonicClock.nanoseconds) { recorder, head in
            recorder.recordSet(head, key: name, value: name.isSecret ? change.value.hidden : change.value, site: site)
        }
    }

    /// The unit of a change, for its record: most often that of the change before.
    @inline(__always)
    private func unit(of change: borrowing Change, in table: inout NamespaceTable) -> LifetimeUnit {
        guard let epoch = change.epoch else { return .none }
        if let unit = table.unit, unit.epoch == epoch.rawValue { return .recorded(unit) }
        return self.newUnit(in: &table)
    }

    @inline(never)
    private func newUnit(in table: inout NamespaceTable) -> LifetimeUnit {
        let label = Scope.currentLabel
        table.unit = self.app.recordedUnit(label)
        return LifetimeUnit(table.unit, or: label)
    }
}
