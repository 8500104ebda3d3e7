// What the tests of this room share: apps with a recorder of their own, logs, gates instead of sleeps, and bare threads.

import Contrail
import ContrailRecorder
import Foundation
import HTTPTypes
import Synchronization

struct Boom: Error, Equatable, CustomStringConvertible {
    var name = "boom"

    var description: String { self.name }
}

/// An app with a recorder of its own, which nobody else drains.
struct Desk: Sendable {
    let recorder: FlightRecorder
    let app: App

    init(_ name: String = "orders", level: FlightRecorder.Level = .lifecycle, recyclesOnRequest: Bool = true) {
        self.recorder = FlightRecorder(configuration: .init(level: level))
        self.app = App(name, recorder: self.recorder, recyclesOnRequest: recyclesOnRequest)
    }

    /// Takes the events that were recorded since the last call.
    func events() -> [TrailEvent] {
        var events: [TrailEvent] = []
        while let event = self.recorder.takeEvent() { events.append(event) }
        return events
    }

    /// Takes the events and gives their kinds.
    func kinds() -> [EventKind] { self.events().map(\.kind) }

    /// Registers hooks that write down their name and outcome.
    func logHooks(_ log: Log, app: [String] = [], request: [String] = []) throws {
        for name in app { try self.app.teardownAppContext(name) { _, outcome in log.add("\(name) \(outcome.text)") } }
        for name in request { try self.app.teardownRequest(name) { _, outcome in log.add("\(name) \(outcome.text)") } }
    }
}

extension Outcome {
    var text: String { self.error.map { "\(self.recorded) \($0)" } ?? "\(self.recorded)" }
}

extension [TrailEvent] {
    var pushes: [(event: TrailEvent, push: TrailEvent.Push)] {
        self.compactMap { event in
            switch event.body {
            case .appPush(let push), .requestPush(let push): (event, push)
            default: nil
            }
        }
    }

    var pops: [(event: TrailEvent, pop: TrailEvent.Pop)] {
        self.compactMap { event in
            switch event.body {
            case .appPop(let pop), .requestPop(let pop): (event, pop)
            default: nil
            }
        }
    }

    var problems: [(event: TrailEvent, problem: TrailEvent.Problem)] {
        self.compactMap { event in
            if case .problem(let problem) = event.body { (event, problem) } else { nil }
        }
    }

    var hooks: [TrailEvent.Teardown] {
        self.compactMap { event in
            if case .teardown(let teardown) = event.body { teardown } else { nil }
        }
    }

    var snapshots: [(event: TrailEvent, snapshot: TrailEvent.Snapshot)] {
        self.compactMap { event in
            if case .gSnapshot(let snapshot) = event.body { (event, snapshot) } else { nil }
        }
    }

    var outcomes: [TrailEvent.Outcome] { self.pops.map(\.pop.outcome) }
}

/// Lines in the order in which they were written.
final class Log: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { self.state.withLock { $0 } }

    func add(_ line: String) { self.state.withLock { $0.append(line) } }
}

/// Counts, from any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { self.count.load(ordering: .acquiring) }

    @discardableResult
    func next() -> Int { self.count.add(1, ordering: .acquiringAndReleasing).newValue }
}

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

    /// Blocks a bare thread, which a task must never do.
    func waitOnThread() {
        let semaphore = DispatchSemaphore(value: 0)
        Task.detached {
            await self.wait()
            semaphore.signal()
        }
        semaphore.wait()
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

/// Runs the closure on a new thread, outside any task.
func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

func get(_ path: String = "/orders/7") -> HTTPRequest {
    HTTPRequest(method: .get, scheme: nil, authority: nil, path: path)
}

/// The code of the error that the closure throws; nil when it throws none.
func code(_ body: () throws -> Void) -> ContextError.Code? {
    do {
        try body()
        return nil
    } catch {
        return (error as? ContextError)?.code
    }
}

/// The code of the error that the closure throws; nil when it throws none.
nonisolated(nonsending) func code(_ body: nonisolated(nonsending) () async throws -> Void) async -> ContextError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? ContextError)?.code
    }
}

/// The synchronous form, for tests that are async themselves.
func withAppContextSync<Result>(_ app: App, _ body: (AppContext) throws -> Result) throws -> Result {
    try withAppContext(app) { context throws in try body(context) }
}

/// The synchronous form, for tests that are async themselves.
func withRequestContextSync<Result>(_ app: App, _ body: (App.RequestContext) throws -> Result) throws -> Result {
    try withRequestContext(app, get()) { context throws in try body(context) }
}

/// Whether an event names the place.
func == (left: RecordedText?, right: Site) -> Bool { left?.text == right.description }

extension RecordedText {
    /// The line of a place in the source.
    var line: Substring { self.text.split(separator: ":").last ?? "" }
}
