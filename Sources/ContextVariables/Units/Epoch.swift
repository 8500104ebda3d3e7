// The identity of one unit of work in the life of a process.

private import Synchronization

/// The unique id of one unit of work; recyclable values are valid in the epoch they were set in, and in no other.
///
/// Epochs are compared with `==` only. They grow, but nothing may be concluded from the order of two: a unit with the
/// lower number may well end after one with the higher (`REC-16` shows what ordering them costs).
public struct Epoch: Hashable, Sendable, CustomStringConvertible {
    /// The number, unique within the process and never reused.
    public let rawValue: UInt64

    private static let counter = Atomic<UInt64>(0)

    /// Makes an epoch that no other unit of this process has, had or will have.
    package static func next() -> Epoch {
        Epoch(rawValue: self.counter.add(1, ordering: .relaxed).newValue)
    }

    private init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The epoch of this number, which ``next()`` gave; `nil` for 0, which it never gives.
    package init?(number: UInt64) {
        guard number != 0 else { return nil }
        self.rawValue = number
    }

    /// The number as text.
    public var description: String { String(self.rawValue) }
}
