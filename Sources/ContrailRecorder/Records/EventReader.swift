// Turns the records of a ring into events.

/// Reads the records of one ring, its own process's or a dead one's, in the order of their numbers. One thread at a time.
struct EventReader {
    private let ring: RecordRing
    private var names: RingNames
    private var lastSeq: UInt64 = 0

    init(_ ring: RecordRing) {
        self.ring = ring
        self.names = RingNames(ring.memory)
    }

    /// What comes next.
    enum Next {
        /// Nothing that could be read now.
        case nothing
        /// An event.
        case event(TrailEvent)
        /// A record that was begun and never finished, or that makes no sense.
        case torn(TrailEvent.Torn)
    }

    /// Reads on. `UInt64.max` as the time says that all writers are gone.
    mutating func next(at now: UInt64) -> Next {
        switch self.ring.read(at: now) {
        case .nothing: return .nothing
        case .torn(let slots): return .torn(self.torn(slots))
        case .record(let record):
            let event = self.ring.rest(of: record) { rest in
                RecordDecoder(record, rest).event(&self.names)
            }
            guard let event else { return .torn(self.torn(Int(record.slots))) }
            self.lastSeq = event.seq
            return .event(event)
        }
    }

    /// The last number that was given to an event.
    var lastClaimed: UInt64 { self.ring.lastClaimed }

    private func torn(_ slots: Int) -> TrailEvent.Torn {
        // Between the last number that was read and the next one there is; a record that is not there cannot say its own.
        TrailEvent.Torn(slots: slots, firstSeq: self.lastSeq + 1, lastSeq: self.lastSeq + 1)
    }
}
