// A named signal and the receivers connected to it.

private import Synchronization

/// A signal: receivers run where and when it is sent, in the order in which they were connected.
///
/// The first receiver that throws stops the rest, and its error becomes the error of the step that sent the signal
/// (`SIG-05`, `SIG-06`). Receivers are kept until they are disconnected. Connect and send from any thread.
public final class Signal<Payload: Sendable>: Sendable {
    /// A receiver: it gets the app that sent the signal and what was sent along.
    public typealias Receiver = @Sendable (App, Payload) throws -> Void

    /// Names one connection, to end it.
    public struct Connection: Hashable, Sendable {
        fileprivate let number: Int
    }

    private struct Entry: Sendable {
        let connection: Connection
        let sender: App?
        let receiver: Receiver
    }

    private struct State {
        var entries: [Entry] = []
        var lastNumber = 0
    }

    /// The name, as the trail shows it.
    public let name: String

    private let state = Mutex(State())
    private let count = Atomic<Int>(0)
    private let mutes = Atomic<Int>(0)

    init(_ name: String) {
        self.name = name
    }

    /// Connects a receiver to one app (by identity), or to all.
    @discardableResult
    public func connect(to sender: App? = nil, _ receiver: @escaping Receiver) -> Connection {
        let connection = self.state.withLock { state in
            state.lastNumber += 1
            let connection = Connection(number: state.lastNumber)
            state.entries.append(Entry(connection: connection, sender: sender, receiver: receiver))
            return connection
        }
        self.count.add(1, ordering: .releasing)
        return connection
    }

    /// Ends a connection. Does nothing when it has ended already.
    public func disconnect(_ connection: Connection) {
        // The receiver leaves the lock before it is released: what it captured may run user code when it dies.
        let removed = self.state.withLock { state -> Entry? in
            let index = state.entries.firstIndex { $0.connection == connection }
            return index.map { state.entries.remove(at: $0) }
        }
        if removed != nil { self.count.subtract(1, ordering: .releasing) }
    }

    /// Whether anybody is connected.
    var hasReceivers: Bool { self.count.load(ordering: .acquiring) > 0 }

    /// Connects a receiver for the length of the closure.
    public func connected<Result, Failure: Error>(
        to sender: App? = nil,
        _ receiver: @escaping Receiver,
        during operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let connection = self.connect(to: sender, receiver)
        defer { self.disconnect(connection) }
        return try operation()
    }

    /// Connects a receiver for the length of the closure, which runs on the caller's actor.
    public nonisolated(nonsending) func connected<Result, Failure: Error>(
        to sender: App? = nil,
        _ receiver: @escaping Receiver,
        during operation: nonisolated(nonsending) () async throws(Failure) -> Result
    ) async throws(Failure) -> Result {
        let connection = self.connect(to: sender, receiver)
        defer { self.disconnect(connection) }
        return try await operation()
    }

    /// Calls no receiver while the closure runs, wherever the signal is sent from (`SIG-07`).
    public func muted<Result, Failure: Error>(
        during operation: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        self.mutes.add(1, ordering: .acquiringAndReleasing)
        defer { self.mutes.subtract(1, ordering: .acquiringAndReleasing) }
        return try operation()
    }

    /// Calls the receivers. Never under a lock: a receiver may connect and disconnect.
    package func send(from app: App, _ payload: Payload) throws {
        guard self.hasReceivers, self.mutes.load(ordering: .acquiring) == 0 else { return }
        let entries = self.state.withLock { $0.entries }
        for entry in entries where entry.sender == nil || entry.sender === app {
            try entry.receiver(app, payload)
        }
    }
}
