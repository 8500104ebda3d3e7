// A worker that is started inside a request inherits it, and goes on reading it for every job after the request has ended.

import ContextVariables
import Contrail
import Testing

@Suite("Long-lived children")
struct LongLivedChildTests {
    private static let readLine = #line + 8

    /// What a job's logger asks: which request is this for? A loop over jobs asks it once for each.
    private static func serve(_ jobs: AsyncStream<Int>, _ app: App, _ log: Log) async {
        for await job in jobs {
            await withAppContext(app) { _ async in log.add("job \(job)") }
            log.add(
                code {
                    _ = try Current.here().request
                }.map { "\($0)" } ?? "request"
            )
        }
    }

    @Test("dotnet/runtime#110072: a child that outlives the request it inherited is found reading it, job after job")
    func fault() async throws {
        let service = try Service()
        let log = Log()
        let (jobs, queue) = AsyncStream.makeStream(of: Int.self)
        let pushLine = #line + 1
        let worker = await withRequestContext(service.app, get("/parent")) { _ async in
            Task { await Self.serve(jobs, service.app, log) }
        }
        queue.yield(1)
        queue.yield(2)
        queue.finish()
        await worker.value
        #expect(log.lines == ["job 1", "context_ended", "job 2", "context_ended"])

        let parent = try await service.request("/parent")
        let read = try await service.problems("stale_read")
        #expect(read.count == 2)
        for problem in read {
            #expect(problem.context == parent.id)
            #expect(problem.otherContext == nil)
            #expect(problem.owner == parent.worker)
            #expect(problem.reader != nil)
            #expect(problem.site == place(Self.readLine))
            #expect(problem.ownerSite == place(pushLine))
            #expect(problem.age ?? 0 > 0)
        }
        // The jobs are nobody's children: a dead context is no parent.
        #expect(try await service.appContexts().dropFirst().map(\.parent) == [nil, nil])
    }

    @Test(
        "dotnet/runtime#110072, repaired: the worker is detached, and each job enters a context on a worker of its own"
    )
    func repaired() async throws {
        let service = try Service()
        let log = Log()
        let (jobs, queue) = AsyncStream.makeStream(of: Int.self)
        let worker = await withRequestContext(service.app, get("/parent")) { _ async in
            Task.detached {
                let name = Worker(kind: "job:mail", number: 0)
                for await job in jobs {
                    service.app.recycle(name)
                    await withAppContext(service.app, worker: name) { context async in
                        log.add("job \(job) \(Current.context === context)")
                    }
                }
            }
        }
        queue.yield(1)
        queue.yield(2)
        queue.finish()
        await worker.value
        #expect(log.lines == ["job 1 true", "job 2 true"])
        #expect(try await service.problemCount() == 0)
    }
}
