// A few sandboxed connections to one trail, shared by many callers.

internal import Dispatch
internal import Synchronization

/// Answers SQL from people who are not trusted, over the trail's published names only.
///
/// Each connection works on a queue of its own, so no thread of Swift's concurrency pool ever waits for SQLite. Queries
/// get connections in the order in which they came; at most ``mostWaiting`` wait, further ones are refused.
/// Connections are opened at their first use and opened anew when the file was replaced. Any thread.
public final class QueryPool: Sendable {
    /// How many queries may wait for a connection: 32. One more is refused with `queryQueueFull`.
    public static let mostWaiting = 32

    private struct State {
        var idle: [Int]
        var waiting: [QueryJob] = []
        var running: [Int: (cancellation: QueryCancellation, begin: ContinuousClock.Instant)] = [:]
        var isClosed = false
    }

    private enum Admission {
        case start(lane: Int)
        case waits
        case refused(StoreError)
    }

    private let lanes: [QueryLane]
    private let state: Mutex<State>

    /// Makes a pool for the trail at a path. Opens nothing yet, so it cannot fail.
    ///
    /// `connections` is pulled into 1 to 16.
    public init(path: String, connections: Int = 2) {
        let count = min(max(connections, 1), 16)
        self.lanes = (0..<count).map { QueryLane(path: path, number: $0) }
        self.state = Mutex(State(idle: Array((0..<count).reversed())))
        QueryPools.add(self, path: path)
    }

    /// Runs one SELECT, or EXPLAIN QUERY PLAN of one, and returns its rows up to the limits.
    ///
    /// Cancelling the task stops the query, waiting or running, with `queryCancelled`.
    /// Throws `queryMalformed`, `queryInvalid`, `queryDenied`, `queryTimeout`, `queryCancelled`, `queryTooBig`,
    /// `queryQueueFull`, `inaccessible`, `notADatabase`, `notATrail`, `locked` or `databaseFailure`.
    public func run(
        _ sql: String,
        parameters: QueryParameters = .none,
        limits: QueryLimits = QueryLimits()
    ) async throws(StoreError) -> QueryResult {
        let cancellation = QueryCancellation()
        let result: Result<QueryResult, StoreError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                self.submit(
                    QueryJob(sql: sql, parameters: parameters, limits: limits, cancellation: cancellation) {
                        continuation.resume(returning: $0)
                    }
                )
            }
        } onCancel: {
            self.cancel(cancellation)
        }
        return try result.get()
    }

    /// The same for code that is not asynchronous: blocks the calling thread until the answer is there.
    ///
    /// Never call it on a thread that Swift's concurrency runs tasks on. Throws what ``run(_:parameters:limits:)``
    /// throws.
    @available(*, noasync, message: "use run")
    public func runSynchronously(
        _ sql: String,
        parameters: QueryParameters = .none,
        limits: QueryLimits = QueryLimits()
    ) throws(StoreError) -> QueryResult {
        let done = DispatchSemaphore(value: 0)
        let answer = QueryAnswer()
        let job = QueryJob(sql: sql, parameters: parameters, limits: limits, cancellation: QueryCancellation()) {
            answer.result.withLock { [result = $0] in $0 = result }
            done.signal()
        }
        self.submit(job)
        done.wait()
        guard let result = answer.result.withLock({ $0 }) else {
            throw StoreError(.databaseFailure, "the query ended without an answer")
        }
        return try result.get()
    }

    /// Stops all queries, waiting and running, with `queryCancelled`, and closes the connections soon after.
    ///
    /// Later queries are refused with `queryCancelled`. Calling it again does nothing.
    public func close() {
        let abandoned = self.state.withLock { state in
            defer { state.waiting = [] }
            state.isClosed = true
            state.running.values.forEach { $0.cancellation.cancel() }
            return state.waiting
        }
        for job in abandoned { job.finish(.failure(Self.closed)) }
        for lane in self.lanes { lane.queue.async { lane.close() } }
    }

    /// The same, and waits until the connections are closed.
    package func closeAndWait() {
        self.close()
        for lane in self.lanes { lane.queue.sync {} }
    }

    /// Stops the queries that began before the instant, with `queryTimeout`: they keep the trail's log from being emptied.
    /// Returns how many.
    func interrupt(begunBefore instant: ContinuousClock.Instant) -> Int {
        self.state.withLock { state in
            let late = state.running.values.filter { $0.begin < instant }
            late.forEach { $0.cancellation.interrupt() }
            return late.count
        }
    }

    private static var closed: StoreError {
        StoreError(.queryCancelled, "the query pool was closed")
    }

    private func submit(_ job: QueryJob) {
        let admission = self.state.withLock { state -> Admission in
            if state.isClosed { return .refused(Self.closed) }
            if job.cancellation.isCancelled { return .refused(QueryFailure.error(.cancelled, limits: job.limits)) }
            if let lane = state.idle.popLast() {
                state.running[lane] = (job.cancellation, .now)
                return .start(lane: lane)
            }
            guard state.waiting.count < Self.mostWaiting else {
                return .refused(
                    StoreError(.queryQueueFull, "\(Self.mostWaiting) queries are waiting already: try again later")
                )
            }
            state.waiting.append(job)
            return .waits
        }
        switch admission {
        case .start(let lane): self.start(job, on: lane)
        case .waits: break
        case .refused(let error): job.finish(.failure(error))
        }
    }

    private func start(_ job: QueryJob, on number: Int) {
        let lane = self.lanes[number]
        lane.queue.async {
            let result: Result<QueryResult, StoreError>
            do throws(StoreError) {
                result = .success(try lane.run(job))
            } catch {
                result = .failure(error)
            }
            // The lane first, so that whoever gets the answer can use it at once.
            self.release(number)
            job.finish(result)
        }
    }

    private func release(_ number: Int) {
        let next = self.state.withLock { state -> QueryJob? in
            state.running[number] = nil
            guard !state.waiting.isEmpty else {
                state.idle.append(number)
                return nil
            }
            let job = state.waiting.removeFirst()
            state.running[number] = (job.cancellation, .now)
            return job
        }
        if let next { self.start(next, on: number) }
    }

    private func cancel(_ cancellation: QueryCancellation) {
        // First the flag: a query that is submitted from now on sees it.
        cancellation.cancel()
        let job = self.state.withLock { state -> QueryJob? in
            guard let index = state.waiting.firstIndex(where: { $0.cancellation === cancellation }) else { return nil }
            return state.waiting.remove(at: index)
        }
        job?.finish(.failure(QueryFailure.error(.cancelled, limits: job?.limits ?? QueryLimits())))
    }
}

/// Where a blocked caller's answer is put.
private final class QueryAnswer: Sendable {
    let result = Mutex<Result<QueryResult, StoreError>?>(nil)
}
