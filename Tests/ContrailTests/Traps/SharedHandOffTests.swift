// One hand-off that sixty-four workers use at once.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Shared hand-offs")
struct SharedHandOffTests {
    private let desk = Desk()
    private let log = Log()
    private static let workers = 64

    @Test("Sixty-four threads that run one hand-off at once share the request and g, each with its own variables.")
    func threads() async throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        let variable = ContextVariable("n", default: 0)
        let cache = RecyclableVariable<Int>("cache")
        let (arrived, everybody) = (Counter(), Gate())
        try await withRequestContext(self.desk.app, get()) { request async throws in
            try cache.set(-1)
            let snapshot = try ContextSnapshot("work")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1...Self.workers {
                    group.addTask {
                        try await onThread {
                            try snapshot.run {
                                #expect(try cache.get() == -1)
                                try cache.set(number)
                                try variable.set(number)
                                if arrived.next() == Self.workers { everybody.open() }
                                everybody.waitOnThread()
                                #expect(Current.requestContext === request)
                                #expect(try variable.get() == number)
                                #expect(try cache.get() == number)
                                try Current.g["\(number)"] = number
                            }
                            #expect(Current.context == nil)
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try request.g.names.count == Self.workers)
            #expect(try cache.get() == -1)
            #expect(variable.get(default: 0) == 0)
            #expect(self.log.lines.isEmpty)
        }
        #expect(self.log.lines == ["r ok", "a ok"])
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("Workers that open requests of their own in one hand-off end those, and never what they borrowed.")
    func requestsOfTheirOwn() async throws {
        try self.desk.logHooks(self.log, app: ["a"], request: ["r"])
        let desk = self.desk
        try await withAppContext(desk.app) { context async throws in
            let snapshot = try ContextSnapshot("work")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...Self.workers {
                    group.addTask {
                        try await Task.detached {
                            try await snapshot.run { () async throws in
                                try await withRequestContext(desk.app, get()) { request async throws in
                                    #expect(request.appContext === context)
                                    await Task.yield()
                                    #expect(Current.requestContext === request)
                                }
                            }
                        }.value
                    }
                }
                try await group.waitForAll()
            }
            #expect(self.log.lines == Array(repeating: "r ok", count: Self.workers))
        }
        #expect(self.log.lines.last == "a ok")
        #expect(self.log.lines.count { $0 == "a ok" } == 1)
        #expect(desk.events().problems.isEmpty)
    }

    @Test("When the owner ends while sixty-four workers hold its hand-off, each is refused, and none runs its hooks.")
    func outlived() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        let (arrived, everybody, ended) = (Counter(), Gate(), Gate())
        let tasks = try await withAppContext(self.desk.app) { _ async throws in
            let snapshot = try ContextSnapshot("late")
            let tasks = (1...Self.workers).map { _ in
                Task.detached {
                    try await snapshot.run { () async in
                        if arrived.next() == Self.workers { everybody.open() }
                        await ended.wait()
                        return code { _ = try Current.app }
                    }
                }
            }
            await everybody.wait()
            return tasks
        }
        ended.open()
        for task in tasks { #expect(try await task.value == .borrowOutlived) }
        #expect(self.log.lines == ["a ok"])
        let problems = self.desk.events().problems.map(\.problem.kind)
        #expect(problems == Array(repeating: .borrowOutlived, count: Self.workers))
    }
}
