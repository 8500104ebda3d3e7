// One row: an operation, measured in batches.

import Dispatch
import Foundation
import Synchronization

/// One operation, and a batch of calls of it.
public struct Row: Sendable {
    /// One batch, where it runs: what is bound there is found in different ways. Returns the cost of one call.
    public enum Batch: Sendable {
        /// In a task.
        case task(@Sendable () async -> Double)
        /// On a thread without a task.
        case thread(@Sendable () -> Double)
    }

    /// The name, as the table of bars knows it.
    public let name: String
    /// One batch.
    public let batch: Batch

    /// All rows, in the order in which they are shown.
    public static var all: [Row] { Self.scopes + Self.namespaces + Self.variables + Self.references }

    /// The cost of one call in the cheapest of so many batches, after one that is not counted. Blocks the calling thread,
    /// which takes no part in it.
    public func fastest(of batches: Int) -> Double {
        let result = Measured()
        let done = DispatchSemaphore(value: 0)
        switch self.batch {
        case .task(let batch):
            Task.detached {
                _ = await batch()
                for _ in 0..<batches { await result.note(batch()) }
                done.signal()
            }
        case .thread(let batch):
            Thread {
                _ = batch()
                for _ in 0..<batches { result.note(batch()) }
                done.signal()
            }.start()
        }
        done.wait()
        return result.fastest
    }

    /// The row in a task and on a bare thread.
    static func both(_ name: String, _ batch: @escaping @Sendable () -> Double) -> [Row] {
        [Row(name: name, batch: .task(batch)), Row(name: name + ", thread", batch: .thread(batch))]
    }

    /// The row in a task.
    static func inTask(_ name: String, _ batch: @escaping @Sendable () async -> Double) -> [Row] {
        [Row(name: name, batch: .task(batch))]
    }
}

private final class Measured: Sendable {
    private let cost = Mutex(Double.infinity)

    var fastest: Double { self.cost.withLock { $0 } }

    func note(_ cost: Double) {
        self.cost.withLock { $0 = min($0, cost) }
    }
}
