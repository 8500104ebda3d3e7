// The job loop that ships orders: it borrows the request's context for its first step and goes on with values alone.

internal import ContextVariables
internal import Contrail
private import GRDB
internal import ServiceLifecycle
private import Synchronization

/// Ships orders one after another, on the worker `job:ship/0`.
final class ShippingJobs: Service {
    /// One order on its way. Everything but the snapshot outlives the request.
    private struct Job: Sendable {
        let order: Order
        let request: ContextSnapshot
        let acceptance: Acceptance
    }

    /// The answer that the request waits for. It is given once: by the job, or by the request's own cancellation.
    private final class Acceptance: Sendable {
        private let waiting: Mutex<CheckedContinuation<Void, any Error>?>

        init(_ continuation: CheckedContinuation<Void, any Error>) {
            self.waiting = Mutex(continuation)
        }

        func give(_ result: Result<Void, any Error>) {
            self.waiting.withLock { $0.take() }?.resume(with: result)
        }
    }

    private let app: App
    private let orders: OrderDatabase
    private let worker = Worker(kind: "job:ship", number: 0)
    private let jobs: AsyncStream<Job>
    private let queue: AsyncStream<Job>.Continuation

    init(app: App, orders: OrderDatabase) {
        self.app = app
        self.orders = orders
        (self.jobs, self.queue) = AsyncStream.makeStream(of: Job.self)
    }

    /// Hands an order over and waits for the first step, during which the job borrows the caller's context.
    func submit(_ order: Order, borrowing request: ContextSnapshot) async throws {
        let given = Mutex<Acceptance?>(nil)
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let acceptance = Acceptance(continuation)
                given.withLock { $0 = acceptance }
                let job = Job(order: order, request: request, acceptance: acceptance)
                // A loop that has ended takes no more; a request that was cancelled before has nobody to tell it.
                if case .terminated = self.queue.yield(job) { acceptance.give(.failure(CancellationError())) }
                if Task.isCancelled { acceptance.give(.failure(CancellationError())) }
            }
        } onCancel: {
            given.withLock { $0 }?.give(.failure(CancellationError()))
        }
    }

    /// Ships until the graceful shutdown, and then what is left in the queue.
    func run() async throws {
        await withGracefulShutdownHandler {
            for await job in self.jobs { await self.ship(job) }
        } onGracefulShutdown: {
            self.queue.finish()
        }
    }

    private func ship(_ job: Job) async {
        self.app.recycle(self.worker)
        do {
            // The order must still be there; the request's own connection, in the `g` that it lent, says so.
            try await job.request.run {
                let count = try await connection(to: self.orders).read { database in
                    try Order.filter(key: job.order.id).fetchCount(database)
                }
                if count == 0 { throw CancellationError() }
            }
            job.acceptance.give(.success(()))
        } catch {
            job.acceptance.give(.failure(error))
            return
        }
        await self.deliver(job.order)
    }

    /// The rest needs no request: values, and an app context of its own.
    private func deliver(_ order: Order) async {
        do {
            try await withAppContext(self.app, worker: self.worker) { context in
                context.g[OrderIDKey.self] = order.id
                try await connection(to: self.orders).write { database in
                    try database.execute(sql: "UPDATE orders SET shipped = 1 WHERE id = ?", arguments: [order.id])
                }
            }
        } catch {
            // The trail has it: the context's outcome is failed, with the error.
        }
    }
}
