// Values that wait in memory for the drain to encode them.

private import Synchronization

/// A value that waits to be encoded, or was encoded where it was set.
package enum Payload: Sendable {
    /// A value that is `Encodable`.
    case value(any Sendable, type: String)
    /// A value that has encoded itself.
    case encoded(EncodedPayload)
    /// A value whose own encoding failed.
    case lost(PayloadLoss)
}

/// Keeps a bounded number of values, each under a ticket that its record in the ring names. The newest take the place of the
/// oldest: a value nobody asked for, because its event was dropped, goes that way.
package final class PayloadDesk: Sendable {
    /// How many values wait at the most.
    package static let capacity = 4096

    private struct Place {
        var ticket: UInt32 = 0
        var payload: Payload?
    }

    private struct State {
        var last: UInt32 = 0
        var places: [Place] = []
    }

    private let state = Mutex(State())
    private let used = Atomic<Bool>(false)

    /// Whether any value was ever kept.
    package var isUsed: Bool { self.used.load(ordering: .acquiring) }

    /// Keeps a value. Returns its ticket, which is not 0. Call it under no lock: it may release an old value.
    func keep(_ payload: Payload) -> UInt32 {
        self.used.store(true, ordering: .releasing)
        var new: Payload? = payload
        let ticket = self.state.withLock { state in
            if state.places.isEmpty { state.places = Array(repeating: Place(), count: Self.capacity) }
            state.last = state.last == .max ? 1 : state.last + 1
            let index = Int(state.last) % Self.capacity
            state.places[index].ticket = state.last
            swap(&state.places[index].payload, &new)
            return state.last
        }
        // The old value leaves the lock before it is released: it may run user code when it dies.
        withExtendedLifetime(new) {}
        return ticket
    }

    /// Takes what is kept under a ticket; nil when it is not there any more.
    package func take(_ ticket: UInt32) -> Payload? {
        self.state.withLock { state in
            guard !state.places.isEmpty else { return nil }
            let index = Int(ticket) % Self.capacity
            guard state.places[index].ticket == ticket else { return nil }
            defer { state.places[index].payload = nil }
            return state.places[index].payload
        }
    }
}
