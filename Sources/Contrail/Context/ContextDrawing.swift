// What a context draws from the outside world, through its app, so that a recorded run can be given it again.

internal import ContrailRecorder

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
    public var now: Date {
        let now = self.app.clock.now()
        self.note(drawn: "now", type: "Date") { _ in .double(now.timeIntervalSinceReferenceDate) }
        return now
    }

    /// A new id, from the app's generator.
    public func makeID() -> String {
        let id = self.app.ids.makeID()
        self.note(drawn: "id", id)
        return id
    }

    /// Random numbers, from the app's source: `Int.random(in: 1...6, using: &context.random)`.
    public var random: ContextRandom {
        get { ContextRandom(source: self.app.random, context: self) }
        // Passing it `inout` writes it back; there is nothing to keep, the state is the source's.
        nonmutating set {}
    }

    /// A value that only the outside world knows, drawn through the context so that a recorded run can be given it again: at the
    /// level `replay` it is recorded, with its type, in the order of drawing. What the closure throws is thrown.
    public func value<Value: Sendable>(_ name: String, _ draw: () throws -> Value) rethrows -> Value {
        do {
            let value = try draw()
            self.note(drawn: name, value)
            return value
        } catch {
            self.note(drawn: name, failure: error)
            throw error
        }
    }

    /// A value that only the outside world knows, drawn through the context so that a recorded run can be given it again.
    public nonisolated(nonsending) func value<Value: Sendable>(
        _ name: String,
        _ draw: nonisolated(nonsending) () async throws -> Value
    ) async rethrows -> Value {
        do {
            let value = try await draw()
            self.note(drawn: name, value)
            return value
        } catch {
            self.note(drawn: name, failure: error)
            throw error
        }
    }
}
