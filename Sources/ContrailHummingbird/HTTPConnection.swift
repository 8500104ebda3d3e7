// A connection as a worker: it hosts requests one after another.

public import ContextVariables
public import NIOCore
private import Synchronization

/// One client connection, numbered in order of arrival: the worker `conn:17`.
///
/// Made anew for each request of the connection, and equal in all of them. May be used from any thread.
public struct HTTPConnection: Sendable {
    /// The worker that hosts the connection's requests.
    public let worker: Worker
    /// The address of the client.
    public let remoteAddress: SocketAddress?

    private struct Registry {
        var workers: [ObjectIdentifier: Worker] = [:]
        var lastNumber: Int64 = 0
    }

    private static let registry = Mutex(Registry())

    /// Finds the connection of a channel.
    public init(channel: any Channel) {
        self.worker = Self.worker(of: channel)
        self.remoteAddress = channel.remoteAddress
    }

    /// The channel's worker, remembered until the channel closes: as long as it is registered the channel is alive, so its
    /// address names no other.
    private static func worker(of channel: any Channel) -> Worker {
        let id = ObjectIdentifier(channel)
        let (worker, isNew) = self.registry.withLock { registry in
            if let worker = registry.workers[id] { return (worker, false) }
            registry.lastNumber += 1
            let worker = Worker(kind: "conn", number: registry.lastNumber)
            registry.workers[id] = worker
            return (worker, true)
        }
        if isNew {
            channel.closeFuture.whenComplete { _ in
                // It leaves the lock before it is released: its values may run user code when they die.
                let gone = self.registry.withLock { $0.workers.removeValue(forKey: id) }
                withExtendedLifetime(gone) {}
            }
        }
        return worker
    }
}
