// What the tests of hand-offs share: an app with a recorder of its own, and a real event loop.

import Contrail
import ContrailRecorder
import Dispatch
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization

/// An app with a recorder of its own, which nobody else drains.
struct Desk: Sendable {
    let recorder = FlightRecorder()
    let app: App

    init() {
        self.app = App("orders", recorder: self.recorder)
    }

    /// The problems that were recorded since the last call, as `kind context`.
    func problems() -> [String] {
        var problems: [String] = []
        while let event = self.recorder.takeEvent() {
            if case .problem(let problem) = event.body { problems.append("\(problem.kind) \(event.context ?? 0)") }
        }
        return problems
    }

    /// Runs the closure in a request context, which has ended afterwards.
    func request<Result>(_ body: (App.RequestContext, ContextSnapshot) async throws -> Result) async throws -> Result {
        let request = HTTPRequest(method: .get, scheme: nil, authority: nil, path: "/orders/7")
        return try await withRequestContext(self.app, request) { request async throws in
            try await body(request, ContextSnapshot("work"))
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

/// Opens once; threads that wait go on then. A task must not wait here.
final class ThreadGate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func open() { self.semaphore.signal() }

    func wait() {
        self.semaphore.wait()
        self.semaphore.signal()
    }
}

/// The code of the error that the closure throws; nil when it throws none.
func code(_ body: () async throws -> some Any) async -> ContextError.Code? {
    do {
        _ = try await body()
        return nil
    } catch {
        return (error as? ContextError)?.code
    }
}

/// Runs the closure with an event loop group of its own, and shuts it down afterwards.
func withEventLoops(_ count: Int = 1, _ body: (MultiThreadedEventLoopGroup) async throws -> Void) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
    do {
        try await body(group)
    } catch {
        try await group.shutdownGracefully()
        throw error
    }
    try await group.shutdownGracefully()
}
