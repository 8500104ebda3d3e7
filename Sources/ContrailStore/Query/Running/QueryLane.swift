// One connection of a pool and the queue that it lives on.

internal import Dispatch

#if canImport(Darwin)
private import Darwin
#elseif canImport(Musl)
private import Musl
#else
private import Glibc
#endif

/// Runs queries one after another on a serial queue, and opens the connection anew when the file is another one.
///
/// Unchecked: `connection` and `identity` are touched on `queue` only, which is serial; the rest is immutable.
final class QueryLane: @unchecked Sendable {
    private struct Identity: Equatable {
        let device: UInt64
        let node: UInt64
    }

    let queue: DispatchQueue
    private let path: String
    private var connection: QueryConnection?
    private var identity: Identity?

    init(path: String, number: Int) {
        self.path = path
        self.queue = DispatchQueue(label: "contrail.query.\(number)")
    }

    /// Runs a query. On `queue` only.
    func run(_ job: QueryJob) throws(StoreError) -> QueryResult {
        dispatchPrecondition(condition: .onQueue(self.queue))
        let connection = try self.open()
        do {
            return try connection.run(
                job.sql,
                parameters: job.parameters,
                limits: job.limits,
                cancellation: job.cancellation
            )
        } catch {
            let mayBeBroken: Set<StoreError.Code> = [.databaseFailure, .inaccessible, .notADatabase, .notATrail]
            if mayBeBroken.contains(error.code) { self.close() }
            throw error
        }
    }

    /// Closes the connection. On `queue` only.
    func close() {
        dispatchPrecondition(condition: .onQueue(self.queue))
        self.connection = nil
        self.identity = nil
    }

    private func open() throws(StoreError) -> QueryConnection {
        let identity = Self.identity(of: self.path)
        if let connection, identity != nil, identity == self.identity { return connection }
        self.close()
        let connection = try QueryConnection(path: self.path)
        self.connection = connection
        self.identity = identity
        return connection
    }

    private static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt64(status.st_dev), node: UInt64(status.st_ino))
    }
}
