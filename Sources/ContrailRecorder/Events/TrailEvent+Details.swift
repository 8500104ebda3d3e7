// What events about hooks, `g`, workers, problems and losses carry.

extension TrailEvent {
    /// One call of a teardown hook.
    package struct Teardown: Sendable {
        /// The hook's name.
        package let hook: RecordedText
        /// Its place in the order of execution, from 1.
        package let position: Int
        /// How long it took, in nanoseconds.
        package let durationNanoseconds: UInt64
        /// The text of the error it threw.
        package let error: String?
        /// Where it was registered.
        package let site: RecordedText

        /// Describes a call of a hook.
        package init(hook: RecordedText, position: Int, durationNanoseconds: UInt64, error: String?, site: RecordedText)
        {
            self.hook = hook
            self.position = position
            self.durationNanoseconds = durationNanoseconds
            self.error = error
            self.site = site
        }
    }

    /// All of `g` at one moment.
    package struct Snapshot: Sendable {
        /// Why it was taken: `teardown`, `failure`, or the caller's label.
        package let label: String
        /// The names and values in order of insertion, redacted.
        package let values: [(name: RecordedText, value: RecordedValue)]

        /// How many names did not fit.
        package let omitted: Int

        /// Describes a snapshot.
        package init(label: String, values: [(name: RecordedText, value: RecordedValue)], omitted: Int = 0) {
            self.label = label
            self.values = values
            self.omitted = omitted
        }
    }

    /// A worker's step from one unit to the next.
    package struct Recycle: Sendable {
        /// The epoch that ended; `nil` for the worker's first unit.
        package let before: UInt64?
        /// The epoch that began.
        package let after: UInt64
        /// How many recyclable values were released.
        package let variablesDropped: Int

        /// Describes a recycle.
        package init(before: UInt64?, after: UInt64, variablesDropped: Int) {
            self.before = before
            self.after = after
            self.variablesDropped = variablesDropped
        }
    }

    /// Something that should not happen.
    ///
    /// It has an owner, whose state was touched, and a reader, who touched it. The event's context is the owner's; its worker,
    /// thread and epoch are the reader's.
    package struct Problem: Sendable {
        /// The kind: `leak`, `stale_read`, `rejected_pop`, `foreign_pop`, `poisoned_worker` or `borrow_outlived`.
        package let kind: EventKind
        /// The other context that is involved: the active one, or the reader's.
        package let other: ContextOrdinal?
        /// What happened, in one line.
        package let message: String
        /// The place that noticed: the read, the pop that was refused, the push that found another below it; the push itself
        /// for a leak. A read through a property, which cannot know its caller, names the place where its work began.
        package let site: RecordedText
        /// Where the owner pushed its context, or set the value that was touched.
        package let ownerSite: RecordedText?
        /// Nanoseconds since the owner's context ended; since it was pushed, if it has not.
        package let ageNanoseconds: UInt64?

        /// Describes a problem.
        package init(
            kind: EventKind,
            other: ContextOrdinal?,
            message: String,
            site: RecordedText,
            ownerSite: RecordedText? = nil,
            ageNanoseconds: UInt64? = nil
        ) {
            self.kind = kind
            self.other = other
            self.message = message
            self.site = site
            self.ownerSite = ownerSite
            self.ageNanoseconds = ageNanoseconds
        }
    }

    /// Events that the full ring refused.
    package struct Drop: Sendable, Equatable {
        /// Why the ring was full. The set grows.
        package struct Cause: Hashable, Sendable, CustomStringConvertible {
            /// The name, as the `drop` event shows it. Stable.
            package let description: String

            /// Names a cause.
            package init(_ description: String) { self.description = description }

            /// More was recorded than could be stored in the same time.
            package static let ringFull = Cause("ring_full")
            /// The process died before it could say why.
            package static let crashed = Cause("crashed")
            /// The process died before it had stored what it said itself. No event of the service's is among them.
            package static let unwritten = Cause("unwritten")
        }

        /// How many, exactly.
        package let count: UInt64
        /// No dropped event has a lower number.
        package let firstSeq: UInt64
        /// No dropped event has a higher number.
        package let lastSeq: UInt64

        /// The kinds that are among them, as ``EventKind/kinds(in:)`` takes them.
        package let kinds: UInt64

        /// Why they were refused.
        package let cause: Cause

        /// Describes a drop.
        package init(count: UInt64, firstSeq: UInt64, lastSeq: UInt64, kinds: UInt64 = 0, cause: Cause = .ringFull) {
            self.count = count
            self.firstSeq = firstSeq
            self.lastSeq = lastSeq
            self.kinds = kinds
            self.cause = cause
        }
    }

    /// A step of the wall clock, against the monotonic one.
    package struct ClockStep: Sendable, Equatable {
        /// How far it was set, in microseconds: negative when it was set back.
        package let microseconds: Int64
        /// How far it is now from what the times of this run say, in microseconds.
        package let offset: Int64
        /// What it says now, in UTC microseconds since 1970.
        package let wall: Int64

        /// Describes a step.
        package init(microseconds: Int64, offset: Int64, wall: Int64) {
            self.microseconds = microseconds
            self.offset = offset
            self.wall = wall
        }
    }

    /// Records that were begun and never finished.
    package struct Torn: Sendable {
        /// How many slots of the ring they had claimed.
        package let slots: Int
        /// No torn record has a lower number.
        package let firstSeq: UInt64
        /// No torn record has a higher number.
        package let lastSeq: UInt64

        /// Describes torn records.
        package init(slots: Int, firstSeq: UInt64, lastSeq: UInt64) {
            self.slots = slots
            self.firstSeq = firstSeq
            self.lastSeq = lastSeq
        }
    }

    /// A value that could not be encoded.
    package struct LostPayload: Sendable {
        /// What it was: the key in `g`, or the name it was drawn under.
        package let name: RecordedText
        /// The number of the event that describes the value.
        package let seq: UInt64
        /// The type of the value.
        package let type: String
        /// Why.
        package let reason: PayloadLoss
        /// How many like it are told of here; more than one when there were very many.
        package let count: Int

        /// Describes a loss.
        package init(name: RecordedText, seq: UInt64, type: String, reason: PayloadLoss, count: Int = 1) {
            self.name = name
            self.seq = seq
            self.type = type
            self.reason = reason
            self.count = count
        }
    }
}
