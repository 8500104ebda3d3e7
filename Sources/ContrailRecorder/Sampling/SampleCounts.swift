// How many events of sampled-out contexts are held, and how many have gone.

private import Synchronization

/// Two counts in one word, so that an event which goes from the one to the other is never in both; and the bytes that are held.
final class SampleCounts: Sendable {
    /// How many bytes are held at the most, in all.
    static let mostBytes = 8 * 1024 * 1024

    /// Events that are gone, above the 24 bits of those that are held: with 128 bytes at least each, no more than 2¹⁶ are.
    private let word = Atomic<UInt64>(0)
    private let bytes = Atomic<Int>(0)

    /// The counts, at one moment.
    var current: (held: UInt64, sampledOut: UInt64) {
        let word = self.word.load(ordering: .acquiring)
        return (word & 0xFF_FFFF, word >> 24)
    }

    /// Counts an event as held; false when there is no room for it.
    func hold(_ count: Int) -> Bool {
        guard self.bytes.wrappingAdd(count, ordering: .relaxed).newValue <= Self.mostBytes else {
            self.bytes.wrappingSubtract(count, ordering: .relaxed)
            return false
        }
        self.word.wrappingAdd(1, ordering: .releasing)
        return true
    }

    /// Counts a held event as no longer held: it goes into the ring, where it is counted by its number.
    func release(_ count: Int) {
        self.bytes.wrappingSubtract(count, ordering: .relaxed)
        self.word.wrappingSubtract(1, ordering: .releasing)
    }

    /// Counts a held event as gone.
    func sampleOut(held count: Int) {
        self.bytes.wrappingSubtract(count, ordering: .relaxed)
        self.word.wrappingAdd(1 << 24 - 1, ordering: .releasing)
    }

    /// Counts an event as gone that was not held.
    func sampleOut() { self.word.wrappingAdd(1 << 24, ordering: .releasing) }
}
