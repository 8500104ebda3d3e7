// What hooks and receivers write down while a step runs, and the names of contexts.

import Synchronization

/// What a body, hook or receiver of a program throws.
struct Thrown: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The lines of one step, and the names of the contexts. Hooks and receivers write to it from any thread.
final class StepLog: Sendable {
    private struct State {
        var lines: [String] = []
        var names: [ObjectIdentifier: String] = [:]
        var kept: [any AnyObject & Sendable] = []
        var step: Step?
        var failsPush = false
    }

    private let state = Mutex(State())

    /// The name of a context; one that nobody has seen was made by the current step. Contexts are kept, so that no address
    /// is used twice.
    func name(_ context: any AnyObject & Sendable, _ kind: ContextID.Kind) -> String {
        self.state.withLock { state in
            if let name = state.names[ObjectIdentifier(context)] { return name }
            let name = ContextID(kind: kind, number: state.step?.number ?? 0).description
            state.names[ObjectIdentifier(context)] = name
            state.kept.append(context)
            return name
        }
    }

    /// Gives a context that exists from the start its name.
    func note(_ context: any AnyObject & Sendable, as id: ContextID) {
        self.state.withLock { state in
            state.names[ObjectIdentifier(context)] = id.description
            state.kept.append(context)
        }
    }

    /// The context of a name.
    func context(_ id: ContextID) -> (any AnyObject & Sendable)? {
        self.state.withLock { state in
            state.kept.first { state.names[ObjectIdentifier($0)] == id.description }
        }
    }

    /// Lets go of the contexts.
    func forget() {
        let kept = self.state.withLock { state in
            defer { state.kept = [] }
            return state.kept
        }
        withExtendedLifetime(kept) {}
    }

    func begin(_ step: Step, failsPush: Bool) {
        self.state.withLock { state in
            state.lines = []
            state.step = step
            state.failsPush = failsPush
        }
    }

    var failsPush: Bool { self.state.withLock { $0.failsPush } }

    var lines: [String] { self.state.withLock { $0.lines } }

    func add(_ line: String) { self.state.withLock { $0.lines.append(line) } }
}
