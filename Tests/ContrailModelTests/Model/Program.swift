// A program of the model test: what each of four workers does, step by step, so that the interleaving is part of it.

/// A context of a program. The first four of each kind exist from the start; the others are named after the step that made
/// them.
struct ContextID: Hashable, Sendable, CustomStringConvertible {
    enum Kind: String, Sendable {
        case app = "a"
        case request = "q"
    }

    let kind: Kind
    let number: Int

    /// How many contexts of each kind exist from the start, in turn of the first and the second app.
    static let ready = 4

    static func app(_ number: Int) -> ContextID { ContextID(kind: .app, number: number) }
    static func request(_ number: Int) -> ContextID { ContextID(kind: .request, number: number) }

    var description: String { "\(self.kind.rawValue)\(self.number)" }
}

/// What is done with a name in `g`.
enum NamespaceOperation: Sendable {
    case set(Int?)
    case get
    case getDefault(Int?)
    case pop
    case popDefault(Int?)
    case setDefault(Int?)
    case contains
    case remove
    case names
}

/// What one step does.
enum Operation: Sendable {
    /// Pushes a context by hand; with `fails`, a receiver of `appcontext_pushed` throws.
    case push(ContextID, fails: Bool)
    /// Pops a context by hand; with `error`, as failed.
    case pop(ContextID, error: Bool)
    /// Pops by itself the app context that a request brought along.
    case popApp(of: ContextID)
    case enterApp(app: Int, fails: Bool)
    case enterRequest(app: Int, fails: Bool)
    case enterValue(variable: Int, value: Int)
    /// Runs the snapshot that the step of this number took.
    case borrow(Int)
    /// Leaves the innermost closure; with `error`, by throwing.
    case leave(error: Bool)
    case takeSnapshot
    case set(variable: Int, value: Int)
    /// Resets a variable with the token that the step of this number got.
    case reset(variable: Int, token: Int)
    /// Does something with a name in the current `g`, or in that of one app context.
    case namespace(of: ContextID?, key: Int, NamespaceOperation)
    case store(recyclable: Int, value: Int)
    case invalidate(recyclable: Int)
    case recycle
    /// Leaves all closures and ends the thread; the next step of the worker runs on a new one.
    case end
}

/// One step: which worker does what. Its number is its own also after others have been dropped.
struct Step: Sendable, CustomStringConvertible {
    let number: Int
    let worker: Int
    let operation: Operation

    var description: String { "#\(self.number) worker \(self.worker): \(self.operation)" }
}

/// How the two apps of a program are set up.
struct Setup: Sendable, CustomStringConvertible {
    struct App: Sendable {
        var recyclesOnRequest = true
        /// Which hooks and receivers throw, by their name.
        var throwing: Set<String> = []
    }

    var apps: [App] = [App(), App()]

    static let hooks = ["hook1", "hook2"]
    static let throwers = [
        "app hook1", "app hook2", "request hook1", "request hook2", "tearing", "requestTearing", "popped",
    ]

    var description: String {
        self.apps.map { "recycles: \($0.recyclesOnRequest), throwing: \($0.throwing.sorted())" }.joined(separator: "; ")
    }
}

/// A whole program. After the last step every worker ends.
struct Program: Sendable {
    static let workers = 4

    var setup: Setup
    var steps: [Step]

    /// The steps, and the end of every worker.
    var complete: [Step] {
        self.steps + (0..<Self.workers).map { Step(number: 1_000_000 + $0, worker: $0, operation: .end) }
    }
}

/// What one step did: the lines of hooks and receivers, its own result, what is current afterwards, and the problems.
struct Answer: Equatable, Sendable, CustomStringConvertible {
    var lines: [String] = []
    var result = "ok"
    var current = ""
    var problems: [String] = []

    var description: String {
        "\(self.result); current: \(self.current); lines: \(self.lines); problems: \(self.problems)"
    }
}
