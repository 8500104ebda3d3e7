// The random numbers of a context, in the form the standard library takes them.

/// A random number generator over the app's ``RandomSource``: `Int.random(in: 1...6, using: &context.random)`.
public struct ContextRandom: RandomNumberGenerator, Sendable {
    private let source: any RandomSource

    init(source: any RandomSource) {
        self.source = source
    }

    /// Sixty-four random bits.
    public mutating func next() -> UInt64 { self.source.next() }
}
