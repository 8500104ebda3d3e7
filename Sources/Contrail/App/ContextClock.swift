// Where contexts take time, ids and randomness from: injected, so that a recorded run can be given the same again.

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// Tells the date to code that asks its context (`context.now`).
public protocol ContextClock: Sendable {
    /// The date now. May be called from any thread.
    func now() -> Date
}

/// Makes ids for code that asks its context (`context.makeID()`).
public protocol IDGenerator: Sendable {
    /// An id that was never returned before. May be called from any thread.
    func makeID() -> String
}

/// Gives randomness to code that asks its context (`context.random`).
public protocol RandomSource: Sendable {
    /// Sixty-four random bits. May be called from any thread.
    func next() -> UInt64
}

/// The system's clock.
public struct SystemContextClock: ContextClock {
    /// Makes the system's clock.
    public init() {}

    /// The date now.
    public func now() -> Date { Date() }
}

/// The system's random numbers.
public struct SystemRandomSource: RandomSource {
    /// Makes the system's source.
    public init() {}

    /// Sixty-four random bits.
    public func next() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }
}

/// Random UUIDs as text, in upper case.
public struct UUIDGenerator: IDGenerator {
    /// Makes the generator.
    public init() {}

    /// A new random UUID.
    public func makeID() -> String { UUID().uuidString }
}
