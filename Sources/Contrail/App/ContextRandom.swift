// The random numbers of a context, in the form the standard library takes them.

internal import ContrailRecorder

/// A random number generator over the app's ``RandomSource``: `Int.random(in: 1...6, using: &context.random)`.
public struct ContextRandom: RandomNumberGenerator, Sendable {
    private let source: any RandomSource
    private let context: any ContextDrawing

    init(source: any RandomSource, context: any ContextDrawing) {
        self.source = source
        self.context = context
    }

    /// Sixty-four random bits.
    public mutating func next() -> UInt64 {
        let bits = self.source.next()
        // As text: most readers of JSON round 64 bits, and nothing about random ones is secret by its shape.
        self.context.note(drawn: "random", type: "UInt64") { _ in .text(String(digitsOf: bits)) }
        return bits
    }
}
