// Runs a program: its lists and the ops that control them.

internal import ContextVariables
internal import Contrail
internal import Synchronization

/// Runs one program against the library and writes down what happens.
final class Interpreter: Sendable {
    let trace: Trace
    let threads = BareThreads()
    let table = Mutex(Table())

    private let depth = Atomic<Int>(0)

    /// How deep lists may run inside lists; a program that goes deeper calls itself.
    private static let deepest = 400

    private init(showsBindings: Bool) {
        self.trace = Trace(showsBindings: showsBindings)
    }

    /// The trace of a program that is run in a completely empty state.
    static func trace(of program: Program) throws -> [String] {
        let interpreter = Interpreter(showsBindings: program.showsBindings)
        defer { interpreter.end() }
        try interpreter.threads.run { try interpreter.run(program) }
        guard let lines = interpreter.trace.finishedLines else {
            throw Malformed("its lists run more than \(Self.deepest) deep in each other")
        }
        return lines
    }

    private func run(_ program: Program) throws {
        for (name, definition) in program.apps {
            let app = try self.makeApp(name, definition)
            self.table.withLock { $0.apps[name] = app }
        }
        self.runGuarded(program.ops)
        self.trace.finish()
    }

    /// Lets go of everything. What the program left pushed ends now; its trace is closed.
    private func end() {
        let table = self.table.withLock { table in
            defer { table = Table() }
            return table
        }
        for ending in table.endings { ending() }
        self.threads.release()
    }

    /// What the program calls by that name.
    func named<Thing: Sendable>(_ id: String, in things: KeyPath<Table, [String: Thing]>) throws(Undefined) -> Thing {
        guard let thing = self.table.withLock({ $0[keyPath: things][id] }) else { throw Undefined() }
        return thing
    }

    // MARK: - Lists

    /// Runs a list until an error stops it.
    func run(_ list: [Step]) throws {
        defer { self.depth.wrappingSubtract(1, ordering: .relaxed) }
        if self.depth.wrappingAdd(1, ordering: .relaxed).newValue > Self.deepest { self.trace.close() }
        for step in list where self.trace.isOpen { try self.run(step) }
    }

    /// Runs every op of a list; an error stops only its own op.
    private func runGuarded(_ list: [Step]) {
        for step in list {
            do { try self.run([step]) } catch { self.trace.write("uncaught \(error.text)") }
        }
    }

    // MARK: - Control ops

    private func run(_ step: Step) throws {
        switch step.kind {
        case "raise":
            self.trace.write(step.label)
            if step["fatal"] == true { throw FatalError(name: step.text("error")) }
            throw BodyError(name: step.text("error"))
        case "abort":
            self.trace.write(step.label)
            throw App.Abort(step["code"]?.intValue ?? 500)
        case "try":
            do {
                try self.run(step.body)
                self.trace.write("try -> ok")
            } catch {
                self.trace.write("try -> error \(error.text)")
            }
        case "scope": try self.runScope(step.text("id"), step.body)
        case "thread":
            self.trace.write("thread.begin \(step.text("context"))")
            let snapshot = step.text("context") == "copy" ? VariableSnapshot() : VariableSnapshot.empty
            self.table.withLock { $0.kept.append(snapshot) }
            try self.threads.run {
                if step.text("context") == "empty" { return self.runGuarded(step.body) }
                try snapshot.run { self.runGuarded(step.body) }
            }
            self.trace.write("thread.end \(step.text("context"))")
        default: self.record(step)
        }
    }

    private func runScope(_ id: String, _ list: [Step]) throws {
        let context: NamedContext
        do {
            context = try self.named(id, in: \.contexts)
            try context.enter()
        } catch {
            self.trace.write("enter \(id) -> error \(error.text)")
            throw error
        }
        self.trace.write("enter \(id) -> ok")
        var failure: (any Error)?
        do { try self.run(list) } catch { failure = error }
        do {
            try context.exit(failure)
        } catch {
            self.trace.write("exit \(id) -> error \(error.text)\(failure.during)")
            throw error
        }
        self.trace.write("exit \(id) -> \(failure.map { "error \($0.text)" } ?? "ok")")
        if let failure { throw failure }
    }
}
