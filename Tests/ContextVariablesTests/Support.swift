// What the tests of this room share: gates instead of sleeps, bare threads, and a unit of work without contexts.

import ContextVariables
import Foundation
import Synchronization

/// Opens once; whoever waits goes on then.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiters = self.state.withLock { state in
            state.isOpen = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = self.state.withLock { state in
                if !state.isOpen { state.waiters.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Counts, from any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { self.count.load(ordering: .acquiring) }

    @discardableResult
    func next() -> Int { self.count.add(1, ordering: .acquiringAndReleasing).newValue }
}

/// Runs the closure on a new thread, outside any task.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// Runs the closure on a new thread, outside any task, and waits for it. Only for a caller that is outside any task itself.
func joinedThread(_ body: @escaping @Sendable () throws -> Void) throws {
    let ended = Recorded<Result<Void, any Error>>()
    let condition = NSCondition()
    Thread.detachNewThread {
        ended.add(Result { try body() })
        condition.withLock { condition.signal() }
    }
    let result = condition.withLock { () -> Result<Void, any Error>? in
        while ended.elements.isEmpty { condition.wait() }
        return ended.elements.first
    }
    try result?.get()
}

/// What happened, in order, from any thread.
final class Recorded<Element: Sendable>: Sendable {
    private let all = Mutex<[Element]>([])

    var elements: [Element] { self.all.withLock { $0 } }

    func add(_ element: Element) { self.all.withLock { $0.append(element) } }

    func element(_ number: Int) -> Element? { self.all.withLock { $0.indices.contains(number) ? $0[number] : nil } }
}

/// The code of the error that the closure throws; nil when it throws none.
func code(_ body: () throws -> Void) -> VariableError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? VariableError)?.code
    }
}

/// Runs the closure in a scope of the caller with a unit of work and variables of its own.
func inUnit<Result>(_ unit: WorkUnit? = WorkUnit(), _ body: () throws -> Result) throws -> Result {
    try Scope(owner: ExecutionID.current, branch: VariableBranch(), unit: unit, layers: nil).run(body)
}

/// Runs the closure in a scope of the caller with a unit of work and variables of its own.
nonisolated(nonsending) func inUnit<Result>(
    _ unit: WorkUnit? = WorkUnit(),
    _ body: nonisolated(nonsending) () async throws -> Result
) async throws -> Result {
    try await Scope(owner: ExecutionID.current, branch: VariableBranch(), unit: unit, layers: nil).run(body)
}

/// Tells by its death that nobody holds it.
final class Probe: Sendable {
    let onDeath: @Sendable () -> Void

    init(onDeath: @escaping @Sendable () -> Void = {}) {
        self.onDeath = onDeath
    }

    deinit {
        self.onDeath()
    }
}
