// The events of one context that was sampled out, until it is known whether it is worth keeping after all.

private import Synchronization

/// What is held for one context and those below it. They are kept together or go together.
final class SampleHold: Sendable {
    /// One record that has no number and no place in the ring yet.
    struct Record: Sendable {
        let kind: EventKind
        let head: RecordHead
        let words: RecordWords
        let rest: [UInt8]
    }

    /// What becomes of a record.
    enum Fate {
        /// It was held, or counted as sampled out.
        case taken
        /// It belongs into the ring, after the held ones that have gone there just now.
        case passed(overflowed: Int)
    }

    private enum Stage {
        case holding
        case kept
        case gone
    }

    private struct State {
        var stage = Stage.holding
        var records: [Record] = []
        var members: [TrailEvent.ContextOrdinal]
        var overflowed = 0
    }

    let root: TrailEvent.ContextOrdinal
    private let terms: SampleTerms
    private let state: Mutex<State>

    init(root: TrailEvent.ContextOrdinal, terms: SampleTerms) {
        self.root = root
        self.terms = terms
        self.state = Mutex(State(members: [root]))
    }

    /// Adds a context that was pushed below.
    func add(_ ordinal: TrailEvent.ContextOrdinal) {
        self.state.withLock { $0.members.append(ordinal) }
    }

    /// The contexts that the hold is of.
    var members: [TrailEvent.ContextOrdinal] { self.state.withLock { $0.members } }

    /// Whether the record ends the lifetime that all others lie under.
    func isEnd(_ record: Record) -> Bool {
        record.head.context == self.root && record.end != nil
    }

    /// Decides on a record. Keeping writes the held ones under the lock, so that they come in their order; the ring never waits.
    func decide(_ record: Record, _ counts: SampleCounts, write: (Record) -> Void) -> Fate {
        self.state.withLock { state in
            switch state.stage {
            case .kept: return .passed(overflowed: 0)
            case .gone:
                counts.sampleOut()
                return .taken
            case .holding: break
            }
            if !self.terms.isMuted, record.isWorthKeeping(slowNanoseconds: self.terms.slowNanoseconds) {
                state.stage = .kept
                for held in state.records {
                    counts.release(held.byteCount)
                    write(held)
                }
                state.records = []
                return .passed(overflowed: state.overflowed)
            }
            if self.isEnd(record) {
                state.stage = .gone
                for held in state.records { counts.sampleOut(held: held.byteCount) }
                state.records = []
                counts.sampleOut()
            } else if self.terms.isMuted || state.records.count >= SampleTerms.mostEvents
                || !counts.hold(record.byteCount)
            {
                state.overflowed += 1
                counts.sampleOut()
            } else {
                state.records.append(record)
            }
            return .taken
        }
    }
}

extension SampleHold.Record {
    /// What the record takes, in bytes, roughly.
    fileprivate var byteCount: Int { 128 + self.rest.count }

    /// The end of a lifetime that the record tells of, if it does.
    fileprivate var end: PopWords? {
        guard self.kind == .appPop || self.kind == .requestPop, let pop = PopWords(self.words), pop.remaining == 0
        else { return nil }
        return pop
    }

    /// Whether it tells of something that an operator looks for: a failure, a problem, a slow end.
    fileprivate func isWorthKeeping(slowNanoseconds: UInt64) -> Bool {
        if let end = self.end {
            return end.outcome == .failed || end.outcome == .leaked || end.duration >= slowNanoseconds
        }
        if self.kind == .teardown { return NamedWords(self.words).small & NamedWords.hasText != 0 }
        return self.kind == .error || self.kind == .signalFailed || EventKind.problems.contains(self.kind)
    }
}
