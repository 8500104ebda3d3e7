// An event loop as a worker, for units of work that are callbacks.

public import ContextVariables
public import NIOCore
private import Synchronization

extension EventLoop {
    /// The worker that the event loop is to the units of work it hosts: `loop:3`, numbered in order of first use.
    ///
    /// The same for as long as the loop lives. For code that runs its own work on a loop: name it in the entry of each unit, or
    /// recycle it between them. Requests of a server have their connection as worker.
    public var contextWorker: Worker { EventLoopWorkers.shared.worker(of: self) }
}

/// The workers of all event loops that were asked for theirs.
private final class EventLoopWorkers: Sendable {
    static let shared = EventLoopWorkers()

    private struct Entry {
        weak var loop: (any EventLoop)?
        let worker: Worker
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var lastNumber: Int64 = 0
    }

    private let state = Mutex(State())

    func worker(of loop: any EventLoop) -> Worker {
        let id = ObjectIdentifier(loop)
        // Workers of loops that are gone leave the lock before they are released: their values may run user code when they die.
        let (worker, gone) = self.state.withLock { state -> (Worker, [ObjectIdentifier: Entry]) in
            // An entry whose loop is gone may stand for another loop at the same address.
            if let entry = state.entries[id], entry.loop != nil { return (entry.worker, [:]) }
            let gone = state.entries.filter { $0.value.loop == nil }
            for id in gone.keys { state.entries[id] = nil }
            state.lastNumber += 1
            let worker = Worker(kind: "loop", number: state.lastNumber)
            state.entries[id] = Entry(loop: loop, worker: worker)
            return (worker, gone)
        }
        withExtendedLifetime(gone) {}
        return worker
    }
}
