// Recording of contexts that were sampled out.

extension FlightRecorder {
    /// The number for a lifetime that begins now and is sampled out: its events are held and go when it ends, unless it turns out
    /// to be worth keeping. One below a held context shares its fate, whatever the terms.
    package func nextOrdinal(
        under parent: TrailEvent.ContextOrdinal?,
        sampledOutOn terms: SampleTerms?
    ) -> TrailEvent.ContextOrdinal {
        let ordinal = self.nextOrdinal()
        let isBelow = parent.map { $0 >= SampleHolds.firstOrdinal && self.holds.contains($0) } ?? false
        guard isBelow || terms != nil, ordinal != 0, ordinal < SampleHolds.firstOrdinal else { return ordinal }
        let held = ordinal | SampleHolds.firstOrdinal
        return self.holds.begin(held, under: parent, terms ?? SampleTerms()) ? held : ordinal
    }

    /// Holds a record of a sampled-out context. False when it belongs into the ring.
    @inline(never)
    func hold(_ kind: EventKind, _ head: RecordHead, _ words: RecordWords, _ rest: UnsafeRawBufferPointer) -> Bool {
        // What is wide about a worker is in the rest already.
        let kept = RecordHead(
            context: head.context,
            workerKind: head.workerKind,
            workerNumber: head.workerNumber,
            epoch: head.epoch,
            thread: head.thread,
            time: head.time,
            wide: nil
        )
        let record = SampleHold.Record(kind: kind, head: kept, words: words, rest: Array(rest))
        switch self.holds.decide(record, write: self.write) {
        case .taken: return true
        case nil, .passed(overflowed: 0): return false
        case .passed(let count):
            self.recordFailure(
                kept,
                step: "sampling",
                error: "\(count) events of this context are missing: no more than \(SampleTerms.mostEvents) are held"
            )
            return false
        }
    }

    private func write(_ record: SampleHold.Record) {
        record.rest.withUnsafeBytes { rest in
            let claim = self.ring.claim(RecordRing.slotCount(rest.count))
            if let position = claim.position {
                self.ring.write(position, claim.seq, record.kind.code, record.head, record.words, rest)
            } else {
                self.noteDrop(claim.seq, record.kind)
            }
        }
    }
}
