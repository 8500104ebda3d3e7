// The real contexts, on real threads, that a program of the model test is run with.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Synchronization

/// The contexts, variables and threads of one program. One step at a time; the recorder is drained after each.
final class LiveContexts: Sendable {
    private struct Kept {
        var snapshots: [Int: ContextSnapshot] = [:]
        var tokens: [Int: ContextVariable<Int>.Token] = [:]
        var threads: [Int: SteppedThread] = [:]
    }

    private let apps: [App]
    private let log = StepLog()
    private let recorder: FlightRecorder
    private let connections: [@Sendable () -> Void]
    private let variables = [ContextVariable<Int>("one"), ContextVariable<Int>("two")]
    private let recyclables = [RecyclableVariable<Int>("one"), RecyclableVariable<Int>("two")]
    private let kept = Mutex(Kept())

    init(_ setup: Setup) throws {
        let recorder = FlightRecorder(configuration: .init(capacity: 512))
        self.recorder = recorder
        self.apps = setup.apps.enumerated().map { number, app in
            App("app\(number)", recorder: recorder, recyclesOnRequest: app.recyclesOnRequest)
        }
        var connections: [@Sendable () -> Void] = []
        for number in 0..<2 {
            try Self.addHooks(to: self.apps[number], setup.apps[number].throwing, self.log)
            connections += Self.connect(to: self.apps[number], number, setup.apps[number].throwing, self.log)
        }
        self.connections = connections
        for number in 0..<ContextID.ready {
            self.log.note(AppContext(self.apps[number % 2]), as: .app(number))
            self.log.note(App.RequestContext(self.apps[number % 2], Self.request), as: .request(number))
        }
    }

    /// Ends the threads and the connections.
    func close() {
        let threads = self.kept.withLock { kept in
            defer { kept.threads = [:] }
            return kept.threads
        }
        for (worker, thread) in threads { thread.end(Step(number: 0, worker: worker, operation: .end)) }
        for disconnect in self.connections { disconnect() }
        // The log keeps contexts, which keep their apps, whose hooks keep the log.
        self.log.forget()
    }

    private static let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/")

    private static func addHooks(to app: App, _ throwing: Set<String>, _ log: StepLog) throws {
        for hook in Setup.hooks {
            let appHook = "app \(hook)"
            try app.teardownAppContext(appHook) { context, outcome in
                log.add("\(appHook) \(log.name(context, .app)) \(Self.text(outcome)) \(Self.current(log))")
                if throwing.contains(appHook) { throw Thrown(appHook) }
            }
            let requestHook = "request \(hook)"
            try app.teardownRequest(requestHook) { context, outcome in
                log.add("\(requestHook) \(log.name(context, .request)) \(Self.text(outcome)) \(Self.current(log))")
                if throwing.contains(requestHook) { throw Thrown(requestHook) }
            }
        }
    }

    private static func connect(
        to app: App,
        _ number: Int,
        _ throwing: Set<String>,
        _ log: StepLog
    ) -> [@Sendable () -> Void] {
        let pushed = Signals.appContextPushed.connect(to: app) { _, _ in
            log.add("pushed \(number) \(Self.current(log))")
            if log.failsPush { throw Thrown("pushed") }
        }
        let tearing = Signals.appContextTearingDown.connect(to: app) { _, outcome in
            log.add("tearing \(number) \(Self.text(outcome)) \(Self.current(log))")
            if throwing.contains("tearing") { throw Thrown("tearing") }
        }
        let requestTearing = Signals.requestTearingDown.connect(to: app) { _, outcome in
            log.add("requestTearing \(number) \(Self.text(outcome)) \(Self.current(log))")
            if throwing.contains("requestTearing") { throw Thrown("requestTearing") }
        }
        let popped = Signals.appContextPopped.connect(to: app) { _, _ in
            log.add("popped \(number) \(Self.current(log))")
            if throwing.contains("popped") { throw Thrown("popped") }
        }
        return [
            { Signals.appContextPushed.disconnect(pushed) },
            { Signals.appContextTearingDown.disconnect(tearing) },
            { Signals.requestTearingDown.disconnect(requestTearing) },
            { Signals.appContextPopped.disconnect(popped) },
        ]
    }

    // MARK: - Steps

    /// Does a step. Waits, for a while, until as much has happened elsewhere as is expected.
    func perform(_ step: Step, expecting expected: Answer, patience: Duration) -> Answer {
        self.log.begin(step, failsPush: step.operation.failsPush)
        var answer: Answer
        if case .end = step.operation {
            self.kept.withLock { $0.threads.removeValue(forKey: step.worker) }?.end(step)
            // The next one is there at once, and shows that a new thread starts with nothing.
            answer = Answer(current: self.thread(step.worker).perform(.observation(step)).current)
        } else {
            answer = self.thread(step.worker).perform(step)
        }
        var problems: [String] = []
        var leaked = 0
        let deadline = ContinuousClock.now + patience
        repeat {
            while let event = self.recorder.takeEvent() {
                switch event.body {
                case .problem(let problem) where Self.problems.contains(problem.kind):
                    problems.append("\(problem.kind)")
                case .appPop(let pop), .requestPop(let pop): if pop.outcome == .leaked { leaked += 1 }
                default: continue
                }
            }
            answer.lines = self.log.lines
            if answer.lines.count >= expected.lines.count, leaked >= problems.count(where: { $0 == "leak" }),
                problems.count >= expected.problems.count
            {
                break
            }
            SteppedThread.yield()
        } while ContinuousClock.now < deadline
        answer.problems = problems
        return answer
    }

    /// The kinds of problems that a program foresees. Late reads are seen in what is current.
    private static let problems: Set<EventKind> = [.leak, .rejectedPop, .foreignPop]

    private func thread(_ worker: Int) -> SteppedThread {
        if let thread = self.kept.withLock({ $0.threads[worker] }) { return thread }
        let thread = SteppedThread { thread in
            // Otherwise it has the name of the thread that made it, and counts as one of that thread's pool.
            Thread.current.name = "model"
            // A thread that has done nothing yet is outside any unit of work; the model's threads are in one from the start.
            _ = Scope.threadRoot(for: ExecutionID.current)
            _ = try? self.follow(thread, depth: 0)
        }
        self.kept.withLock { $0.threads[worker] = thread }
        return thread
    }

    /// Takes steps until one leaves the closure that this runs in, or ends the thread. Returns whether the thread ends.
    private func follow(_ thread: SteppedThread, depth: Int) throws -> Bool {
        while let step = thread.next() {
            switch step.operation {
            case .leave(let error) where depth > 0:
                if error { throw Thrown("body") }
                return false
            case .end: return true
            case .enterApp, .enterRequest, .enterValue, .borrow:
                var ends = false
                let result = Self.result {
                    try self.enter(step) {
                        self.reply("ok", on: thread)
                        ends = try self.follow(thread, depth: depth + 1)
                    }
                    return "ok"
                }
                if ends { return true }
                self.reply(result, on: thread)
            default:
                self.reply(Self.result { try self.simple(step) }, on: thread)
            }
        }
        return true
    }

    private func reply(_ result: String, on thread: SteppedThread) {
        thread.reply(Answer(result: result, current: self.observation))
    }

    private func enter(_ step: Step, _ body: () throws -> Void) throws {
        switch step.operation {
        case .enterApp(let app, _):
            try withAppContext(self.apps[app]) { _ throws in try body() }
        case .enterRequest(let app, _):
            try withRequestContext(self.apps[app], Self.request) { _ throws in try body() }
        case .enterValue(let variable, let value):
            try self.variables[variable].withValue(value) { () throws in try body() }
        case .borrow(let number):
            guard let snapshot = self.kept.withLock({ $0.snapshots[number] }) else { throw Thrown("undefined") }
            try snapshot.run(body)
        default: throw Thrown("undefined")
        }
    }

    private func simple(_ step: Step) throws -> String {
        switch step.operation {
        case .push(let id, _):
            switch self.log.context(id) {
            case let context as AppContext: try context.push()
            case let context as App.RequestContext: try context.push()
            default: return "undefined"
            }
        case .pop(let id, let error):
            let outcome = error ? Outcome.failed(Thrown("body")) : .ok
            switch self.log.context(id) {
            case let context as AppContext: try context.pop(outcome: outcome)
            case let context as App.RequestContext: try context.pop(outcome: outcome)
            default: return "undefined"
            }
        case .popApp(let id):
            guard let context = (self.log.context(id) as? App.RequestContext)?.appContext else { return "undefined" }
            try context.pop()
        case .takeSnapshot:
            let snapshot = try ContextSnapshot("model")
            self.kept.withLock { $0.snapshots[step.number] = snapshot }
        case .set(let variable, let value):
            let token = try self.variables[variable].set(value)
            self.kept.withLock { $0.tokens[step.number] = token }
        case .reset(let variable, let number):
            guard let token = self.kept.withLock({ $0.tokens[number] }) else { return "undefined" }
            try self.variables[variable].reset(token)
        case .namespace(let id, let key, let operation):
            if let id {
                guard let context = self.log.context(id) as? AppContext else { return "undefined" }
                return try Self.perform(operation, key, on: context.g)
            }
            return try Self.perform(operation, key, on: try Current.g)
        case .store(let recyclable, let value): try self.recyclables[recyclable].set(value)
        case .invalidate(let recyclable): self.recyclables[recyclable].invalidate()
        case .recycle: self.apps[0].recycle(ThreadState.current.worker)
        default: return "undefined"
        }
        return "ok"
    }

    private static func perform(_ operation: NamespaceOperation, _ key: Int, on g: ContextNamespace) throws -> String {
        let name = "key\(key)"
        func text(_ value: (any Sendable)?) -> String { value.map { "\($0)" } ?? "nil" }
        switch operation {
        case .set(let value): g[name] = value
        case .get: return text(try g.get(name))
        case .getDefault(let fallback): return text(g.get(name, default: fallback))
        case .pop: return text(try g.pop(name))
        case .popDefault(let fallback): return text(g.pop(name, default: fallback))
        case .setDefault(let value): return text(g.setDefault(name, value))
        case .contains: return "\(g.contains(name))"
        case .remove: try g.remove(name)
        case .names: return "\(g.names.compactMap { Int($0.dropFirst(3)) })"
        }
        return "ok"
    }

    // MARK: - Texts

    private var observation: String {
        Self.current(self.log) + " "
            + (0..<2).map { number in
                let value = self.recyclables[number]
                return "\(self.variables[number].get(default: -1)) " + Self.result { "\(try value.get())" }
            }.joined(separator: " ")
    }

    private static func current(_ log: StepLog) -> String {
        if ExecutionID.isInTask { return "-" }
        let app = Self.result {
            _ = try Current.app
            return Current.context.map { log.name($0, .app) } ?? "none"
        }
        let request = Self.result {
            _ = try Current.request
            return Current.requestContext.map { log.name($0, .request) } ?? "none"
        }
        return "\(app) \(request)"
    }

    private static func text(_ outcome: Outcome) -> String {
        outcome.error.map { "\(outcome.recorded) \($0)" } ?? "\(outcome.recorded)"
    }

    private static func result(_ body: () throws -> String) -> String {
        do {
            return try body()
        } catch let error as ContextError {
            let errors = error.errors.map { "\($0)" }.joined(separator: ", ")
            return error.errors.isEmpty ? "\(error.code)" : "\(error.code)(\(errors))"
        } catch let error as VariableError {
            return "\(error.code)"
        } catch {
            return "\(error)"
        }
    }
}

extension Operation {
    var failsPush: Bool {
        switch self {
        case .push(_, let fails), .enterApp(_, let fails), .enterRequest(_, let fails): fails
        default: false
        }
    }
}

extension Step {
    /// A step that does nothing but show what is current.
    static func observation(_ step: Step) -> Step {
        Step(number: step.number, worker: step.worker, operation: .leave(error: false))
    }
}
