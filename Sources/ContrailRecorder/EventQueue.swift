// The bounded buffer between the threads that record and the one that drains.

private import Synchronization

/// A bounded queue for many producers and one consumer. Nobody ever waits: a full queue refuses, an empty one gives nil.
///
/// Each slot carries a turn. A producer claims the slot whose turn equals its position, fills it and passes the turn on; a
/// producer that is descheduled in between delays the consumer at that slot, and no other producer.
///
/// @unchecked Sendable: a slot's event is touched only by the thread whose turn it is, and turns are passed on with
/// release and taken with acquire; the head is touched by the single consumer only.
package final class EventQueue: @unchecked Sendable {
    package let capacity: Int

    /// Whose turn each slot is. Apart from the events, so that reading a turn touches nothing that its holder writes.
    private let turns: UnsafeMutablePointer<Atomic<Int>>
    private let events: UnsafeMutablePointer<TrailEvent?>
    private let mask: Int
    private let tail = Atomic<Int>(0)
    private let head = Atomic<Int>(0)

    /// Makes a queue. The capacity is rounded up to a power of two, from 2 to 2²⁰.
    package init(capacity: Int) {
        var size = 2
        while size < min(capacity, 1 << 20) { size *= 2 }
        self.capacity = size
        self.mask = size - 1
        self.turns = .allocate(capacity: size)
        for index in 0..<size { (self.turns + index).initialize(to: Atomic(index)) }
        self.events = .allocate(capacity: size)
        self.events.initialize(repeating: nil, count: size)
    }

    deinit {
        self.turns.deinitialize(count: self.capacity)
        self.turns.deallocate()
        self.events.deinitialize(count: self.capacity)
        self.events.deallocate()
    }

    /// How many events wait. Exact when nobody records; otherwise a value from the recent past.
    package var count: Int {
        max(0, self.tail.load(ordering: .acquiring) - self.head.load(ordering: .acquiring))
    }

    /// Appends an event, or returns false when the queue is full. Any thread.
    package func append(_ event: TrailEvent) -> Bool {
        guard let position = self.claim() else { return false }
        self.fill(position, with: event)
        return true
    }

    /// Claims the next position for the caller, who fills it at once; nil when the queue is full. Any thread.
    @inline(__always)
    func claim() -> Int? {
        var position = self.tail.load(ordering: .relaxed)
        while true {
            let slot = position & self.mask
            let difference = self.turns[slot].load(ordering: .acquiring) - position
            if difference < 0 { return nil }
            if difference > 0 {
                position = self.tail.load(ordering: .relaxed)
                continue
            }
            let (claimed, seen) = self.tail.weakCompareExchange(
                expected: position,
                desired: position + 1,
                ordering: .relaxed
            )
            guard claimed else {
                position = seen
                continue
            }
            return position
        }
    }

    /// Fills a position that the caller has claimed, and passes the turn on to the consumer.
    @inline(__always)
    func fill(_ position: Int, with event: consuming TrailEvent) {
        let slot = position & self.mask
        // The consumer left nil here, so that nothing is overwritten that would have to be released.
        (self.events + slot).initialize(to: event)
        self.turns[slot].store(position + 1, ordering: .releasing)
    }

    /// Takes the oldest event, or returns nil when there is none yet. The consumer's thread only.
    package func popFirst() -> TrailEvent? {
        let position = self.head.load(ordering: .relaxed)
        let slot = position & self.mask
        guard self.turns[slot].load(ordering: .acquiring) == position + 1 else { return nil }
        let event = self.events[slot].take()
        self.turns[slot].store(position + self.capacity, ordering: .releasing)
        self.head.store(position + 1, ordering: .releasing)
        return event
    }
}
