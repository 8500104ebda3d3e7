// What a context draws from the outside world, through its app, so that a recorded run can be given it again.

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// A context as the place to take time, ids, randomness and outside values from, instead of from the system.
public protocol ContextDrawing: Sendable {
    /// The app whose clock, ids and randomness are used.
    var app: App { get }
}

extension ContextDrawing {
    /// The date, from the app's clock.
    public var now: Date { self.app.clock.now() }

    /// A new id, from the app's generator.
    public func makeID() -> String { self.app.ids.makeID() }

    /// Random numbers, from the app's source: `Int.random(in: 1...6, using: &context.random)`.
    public var random: ContextRandom {
        get { ContextRandom(source: self.app.random) }
        // Passing it `inout` writes it back; there is nothing to keep, the state is the source's.
        nonmutating set {}
    }

    /// A value that only the outside world knows, drawn through the context so that a recorded run can be given it again.
    public func value<Value: Sendable>(_ name: String, _ draw: () throws -> Value) rethrows -> Value {
        try draw()
    }

    /// A value that only the outside world knows, drawn through the context so that a recorded run can be given it again.
    public nonisolated(nonsending) func value<Value: Sendable>(
        _ name: String,
        _ draw: nonisolated(nonsending) () async throws -> Value
    ) async rethrows -> Value {
        try await draw()
    }
}
