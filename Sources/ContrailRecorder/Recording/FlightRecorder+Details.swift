// Records of hooks, `g`, workers, problems and what the user marks.

extension FlightRecorder {
    /// Records that the run began. The store calls it before anything else.
    package func recordRunStart() {
        guard self.isRecording else { return }
        self.put(.runStart, RecordHead(), NamedWords().words)
    }

    /// The name of a hook and where it was registered, as numbers of the ring's dictionary.
    package struct RecordedHook: Sendable, BitwiseCopyable {
        let name: RingEntry
        let site: RingEntry
    }

    /// What is to be recorded of a hook at each call of it.
    package func hook(_ name: String, at site: Site) -> RecordedHook {
        RecordedHook(name: self.dictionary.entry(of: name), site: self.dictionary.entry(of: site))
    }

    /// Records one call of a teardown hook.
    ///
    /// - Parameters:
    ///   - known: What ``hook(_:at:)`` gave for it.
    ///   - hook: Its name, for when the dictionary has no room.
    ///   - position: Its place in the order of execution, from 1.
    ///   - duration: How long it took, in nanoseconds.
    ///   - error: The text of the error it threw, redacted.
    ///   - site: Where it was registered.
    @inline(__always)
    package func recordTeardown(
        _ head: RecordHead,
        _ known: RecordedHook,
        hook: @autoclosure () -> String,
        position: Int,
        duration: UInt64,
        error: String?,
        site: @autoclosure () -> Site
    ) {
        let small = UInt32(truncatingIfNeeded: position) & ~NamedWords.hasText | (error == nil ? 0 : NamedWords.hasText)
        let words = NamedWords(name: known.name, site: known.site, small: small, number: duration).words
        if error == nil, known.name != .inline, known.site != .inline {
            self.put(.teardown, head, words)
        } else {
            let (hook, site) = (hook(), site())
            self.put(.teardown, head, words, room: 3 * RingDictionary.textLimit + 6) {
                $0.add(hook, if: known.name)
                $0.add(site, if: known.site)
                if let error { $0.add(error, limit: 256) }
            }
        }
    }

    /// Records that a name in `g` was set. The value is redacted. Returns the number of the event.
    @inline(__always)
    @discardableResult
    package func recordSet(_ head: RecordHead, key: RecordedName, value: RecordedValue, site: Site) -> UInt64 {
        let place = self.dictionary.entry(of: site)
        let words = NamedWords(name: key.entry, site: place, small: UInt32(value.tag), number: value.number).words
        if value.text == nil, key.entry != .inline, place != .inline {
            return self.put(.gSet, head, words)
        } else {
            return self.put(.gSet, head, words, room: 3 * RingDictionary.textLimit + 6) {
                $0.add(key.text, if: key.entry)
                $0.add(site, if: place)
                if let text = value.text { $0.add(text, limit: RingDictionary.textLimit) }
            }
        }
    }

    /// Records that a name in `g` was removed. Returns the number of the event.
    @discardableResult
    package func recordDelete(_ head: RecordHead, key: RecordedName, site: Site) -> UInt64 {
        let place = self.dictionary.entry(of: site)
        return self.put(
            .gDelete,
            head,
            NamedWords(name: key.entry, site: place).words,
            room: 2 * RingDictionary.textLimit + 4
        ) {
            $0.add(key.text, if: key.entry)
            $0.add(site, if: place)
        }
    }

    /// Records all of `g`: the names and redacted values in order of insertion. A record takes 60 KiB at the most; names that
    /// do not fit are counted and left out.
    ///
    /// - Parameter label: Why: `teardown`, `failure`, or the caller's, redacted.
    package func recordSnapshot(
        _ head: RecordHead,
        label: String,
        values: [(name: RecordedName, value: RecordedValue)]
    ) {
        let size = values.reduce(RingDictionary.textLimit + 2) { $0 + $1.name.roomInSnapshot + $1.value.roomInSnapshot }
        let words = NamedWords(name: .inline, small: UInt32(clamping: values.count)).words
        self.put(.gSnapshot, head, words, room: min(size, Self.snapshotRoom(self.capacity))) { rest in
            rest.add(label, limit: RingDictionary.textLimit)
            for (name, value) in values {
                guard rest.room >= name.roomInSnapshot + value.roomInSnapshot else { break }
                rest.add(name.entry)
                rest.add(name.text, if: name.entry)
                rest.add(value.tag)
                rest.add(value.number)
                if let text = value.text { rest.add(text, limit: RingDictionary.textLimit) }
            }
        }
    }

    /// The length of a record counts in 16 bits, and no record may take more than a quarter of the ring.
    private static func snapshotRoom(_ capacity: Int) -> Int {
        min(60 * 1024, max(capacity / 4, 8) * RingLayout.slotSize)
    }

    /// Records a worker's step from one unit to the next, which is the head's.
    ///
    /// - Parameters:
    ///   - before: The epoch that ended; nil for the worker's first unit.
    ///   - variablesDropped: How many recyclable values were released.
    package func recordRecycle(_ head: RecordHead, before: UInt64?, variablesDropped: Int) {
        self.put(
            .recycle,
            head,
            NamedWords(small: UInt32(clamping: variablesDropped), number: before ?? 0).words
        )
    }

    /// Something that should not happen, as it is recorded. The head's context is the owner's; its worker, thread and epoch are
    /// the reader's. See ``TrailEvent/Problem``.
    package struct Finding: Sendable {
        let kind: EventKind
        let other: TrailEvent.ContextOrdinal?
        let message: String
        let site: Site
        let ownerSite: Site?
        let age: UInt64?

        /// Describes a problem.
        package init(
            kind: EventKind,
            other: TrailEvent.ContextOrdinal?,
            message: String,
            site: Site,
            ownerSite: Site? = nil,
            ageNanoseconds: UInt64? = nil
        ) {
            self.kind = kind
            self.other = other
            self.message = message
            self.site = site
            self.ownerSite = ownerSite
            self.age = ageNanoseconds
        }

        /// One more than the age, for 0 is none.
        fileprivate var recordedAge: UInt64 { self.age.map { min($0, .max - 1) + 1 } ?? 0 }
    }

    /// Records something that should not happen. The message is redacted: it may have names of the caller's in it.
    package func recordProblem(_ head: RecordHead, _ finding: Finding) {
        let owner = finding.ownerSite.map { self.dictionary.entry(of: $0) } ?? .none
        let place = self.dictionary.entry(of: finding.site)
        let message = self.redacted(finding.message, limit: 1024)
        self.put(
            finding.kind,
            head,
            NamedWords(name: owner, site: place, small: finding.other ?? 0, number: finding.recordedAge).words,
            room: 1024 + 2 * RingDictionary.textLimit + 6
        ) {
            if let site = finding.ownerSite { $0.add(site, if: owner) }
            $0.add(finding.site, if: place)
            $0.add(message, limit: 1024)
        }
    }

    /// Records that a receiver of a signal threw. The text of the error is redacted.
    package func recordSignalFailure(_ head: RecordHead, signal: String, error: String) {
        self.recordError(.signalFailed, head, self.dictionary.entry(of: signal), signal, error)
    }

    /// Records that a step of a request failed, when nothing else shows it. Both texts are redacted.
    package func recordFailure(_ head: RecordHead, step: String, error: String) {
        self.recordError(.error, head, .inline, step, error)
    }

    private func recordError(
        _ kind: EventKind,
        _ head: RecordHead,
        _ entry: RingEntry,
        _ name: String,
        _ error: String
    ) {
        self.put(kind, head, NamedWords(name: entry).words, room: 2 * RingDictionary.textLimit + 4) {
            $0.add(name, if: entry)
            $0.add(error, limit: 256)
        }
    }

    /// Records that a context was handed to other work. The name is redacted.
    package func recordHandoff(_ head: RecordHead, name: String, site: Site) {
        self.recordNamed(.handoff, head, name, site)
    }

    /// Records a mark of the user's. The name is redacted.
    package func recordMark(_ head: RecordHead, name: String, site: Site) {
        self.recordNamed(.mark, head, name, site)
    }

    private func recordNamed(_ kind: EventKind, _ head: RecordHead, _ name: String, _ site: Site) {
        let place = self.dictionary.entry(of: site)
        self.put(
            kind,
            head,
            NamedWords(name: .inline, site: place).words,
            room: 2 * RingDictionary.textLimit + 4
        ) {
            $0.add(name, if: .inline)
            $0.add(site, if: place)
        }
    }
}

extension RecordedName {
    /// What the name takes in a snapshot at the most, in bytes.
    fileprivate var roomInSnapshot: Int { self.entry == .inline ? 4 + Self.limit : 2 }
}

extension RecordedValue {
    /// What the value takes in a snapshot at the most, in bytes.
    fileprivate var roomInSnapshot: Int {
        9 + (self.text.map { 2 + min($0.utf8.count, RingDictionary.textLimit) } ?? 0)
    }
}
