// Units of work: what a request recycles, and when its values go.

import ContextVariables
import Contrail
import ContrailRecorder
import HTTPTypes
import Testing

@Suite("Units of work")
struct UnitTests {
    private let desk = Desk()
    private let cache = RecyclableVariable<Int>("cache")

    private var recycles: [TrailEvent.Recycle] {
        self.desk.events().compactMap { if case .recycle(let recycle) = $0.body { recycle } else { nil } }
    }

    @Test("A request recycles its worker, and the next recycle counts its values.")
    func requestRecycles() throws {
        let worker = Worker(kind: "conn", number: 1)
        for _ in 0..<2 {
            try withRequestContext(self.desk.app, get(), worker: worker) { _ throws in
                #expect(self.cache.miss != nil)
                try self.cache.set(1)
            }
        }
        let recycles = self.recycles
        #expect(recycles.count == 2)
        #expect(recycles[1].before == recycles[0].after)
        #expect(recycles.map(\.variablesDropped) == [0, 1])
    }

    @Test("Everything in a request carries its worker and its epoch.")
    func labels() throws {
        let worker = Worker(kind: "conn", number: 1)
        try self.desk.app.teardownRequest { _, _ in }
        withRequestContext(self.desk.app, get(), worker: worker) { _ in Current.context?.g["n"] = 1 }
        let events = self.desk.events()
        #expect(events.allSatisfy { $0.worker == TrailEvent.WorkerLabel(kind: "conn", number: 1) })
        #expect(events.allSatisfy { $0.epoch == worker.epoch?.rawValue })
        #expect(events.allSatisfy { $0.thread == ThreadState.current.threadID })
    }

    @Test("A request inside a request is a unit of its own, and the outer one goes on with its values.")
    func nestedRequest() throws {
        let worker = Worker(kind: "conn", number: 1)
        try withRequestContext(self.desk.app, get(), worker: worker) { _ throws in
            try self.cache.set(1)
            try withRequestContext(self.desk.app, get(), worker: worker) { _ throws in
                #expect(self.cache.get(default: 0) == 0)
                try self.cache.set(2)
            }
            #expect(self.cache.get(default: 0) == 1)
        }
        #expect(self.recycles.count == 1)
    }

    @Test("Values are there in teardown, and gone after.")
    func teardown() throws {
        let log = Log()
        let cache = self.cache
        try self.desk.app.teardownRequest { _, _ in log.add("\(cache.get(default: 0))") }
        try self.desk.app.teardownAppContext { _, _ in log.add("\(cache.get(default: 0))") }
        try withRequestContext(self.desk.app, get()) { _ throws in try cache.set(1) }
        #expect(log.lines == ["1", "1"])
    }

    @Test("A task that outlives its request finds the values recycled, with a worker and without.")
    func outlives() async throws {
        for worker in [Worker(kind: "conn", number: 1), nil] {
            let ended = Gate()
            let cache = self.cache
            let (task, epoch) = try await withRequestContext(self.desk.app, get(), worker: worker) { _ async throws in
                try cache.set(1)
                let task = Task {
                    await ended.wait()
                    return cache.miss
                }
                return (task, Scope.current?.unit?.epoch)
            }
            ended.open()
            #expect(await task.value == epoch.map { .recycled(epoch: $0) })
        }
    }

    @Test("An app context outside any unit begins one, and ends it.")
    func appContextUnit() async throws {
        let ended = Gate()
        let cache = self.cache
        let task = try await withAppContext(self.desk.app) { _ async throws in
            try cache.set(1)
            return Task {
                await ended.wait()
                return cache.miss
            }
        }
        ended.open()
        guard case .recycled? = await task.value else {
            Issue.record("the unit did not end")
            return
        }
    }

    @Test(
        "A request that is still pushed elsewhere when its scope ends keeps the unit it began in.",
        arguments: [FlightRecorder.Level.lifecycle, .off]
    )
    func pushedElsewhere(level: FlightRecorder.Level) async throws {
        let desk = Desk(level: level)
        let (pushed, ended) = (Gate(), Gate())
        let cache = self.cache
        let (request, elsewhere, epoch) = try await Task.detached {
            try await withRequestContext(desk.app, get()) { request async throws in
                let elsewhere = Task {
                    try await onThread {
                        try request.push()
                        pushed.open()
                        ended.waitOnThread()
                        #expect(request.variables[cache] == nil)
                        try request.pop()
                    }
                }
                await pushed.wait()
                return (request, elsewhere, desk.recorder.level == .off ? nil : Scope.current?.unit?.epoch)
            }
        }.value
        #expect(request.isPushed)
        ended.open()
        try await elsewhere.value
        #expect(!request.isPushed)
        let pops = desk.events().filter { $0.kind == .requestPop }
        #expect(pops.map(\.epoch) == (level == .off ? [] : [epoch?.rawValue, epoch?.rawValue]))
    }

    @Test("App contexts inside one unit share it.")
    func sharedUnit() throws {
        try withAppContext(self.desk.app) { _ throws in
            try self.cache.set(1)
            withAppContext(self.desk.app) { _ in #expect(self.cache.get(default: 0) == 1) }
            #expect(self.cache.get(default: 0) == 1)
        }
    }

    @Test("An app that does not recycle shares the unit around its requests.")
    func withoutRecycling() throws {
        let desk = Desk(recyclesOnRequest: false)
        let worker = Worker(kind: "conn", number: 1)
        try withAppContext(desk.app, worker: worker) { _ throws in
            try self.cache.set(1)
            withRequestContext(desk.app, get(), worker: worker) { _ in #expect(self.cache.get(default: 0) == 1) }
            #expect(self.cache.get(default: 0) == 1)
        }
        #expect(!desk.kinds().contains(.recycle))
    }

    @Test("A job loop recycles by itself, and the trail says so.")
    func jobLoop() throws {
        let worker = Worker(kind: "job:ship", number: 0)
        for _ in 0..<3 {
            self.desk.app.recycle(worker)
            try withAppContext(self.desk.app, worker: worker) { _ throws in
                #expect(self.cache.get(default: 0) == 0)
                try self.cache.set(1)
            }
        }
        #expect(self.recycles.map(\.variablesDropped) == [0, 1, 1])
    }

    @Test("Between its requests a worker's app contexts have a live unit.")
    func betweenRequests() throws {
        let worker = Worker(kind: "conn", number: 1)
        withRequestContext(self.desk.app, get(), worker: worker) { _ in }
        try withAppContext(self.desk.app, worker: worker) { _ throws in try self.cache.set(1) }
    }

    @Test("A push that fails gives its worker back.")
    func failedPush() {
        let worker = Worker(kind: "conn", number: 1)
        let connection = Signals.appContextPushed.connect(to: self.desk.app) { _, _ in throw Boom() }
        #expect(throws: Boom.self) { try withRequestContext(self.desk.app, get(), worker: worker) { _ throws in } }
        Signals.appContextPushed.disconnect(connection)
        withRequestContext(self.desk.app, get(), worker: worker) { _ in }
        #expect(self.recycles.count == 2)
    }

    @Test("With recording off nothing is left, and everything works.")
    func off() async throws {
        let desk = Desk(level: .off)
        let log = Log()
        try desk.logHooks(log, app: ["a"], request: ["r"])
        #expect(throws: Boom.self) {
            try withRequestContext(desk.app, get()) { request throws in
                try request.g["n"] = 1
                Current.mark("m")
                try ContextSnapshot("s").run {}
                #expect(code { try AppContext(desk.app).pop() } == .notPushed)
                throw Boom()
            }
        }
        #expect(log.lines == ["r failed boom", "a failed boom"])
        #expect(desk.events().isEmpty)
        #expect(desk.recorder.accounting.produced == 0)
    }

    @Test("Without a recorder everything works as well.")
    func withoutRecorder() throws {
        let app = App("bare")
        try withRequestContext(app, get()) { request throws in
            try request.g["n"] = 1
            #expect(Current.requestContext === request)
        }
    }

    @Test("A trace id is taken from the client only when it is one.")
    func traceID() {
        func id(_ value: String) -> String? {
            var request = get()
            request.headerFields[.init("traceparent") ?? .accept] = value
            return App.RequestContext(self.desk.app, request).traceID
        }
        #expect(id("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01") == "4bf92f3577b34da6a3ce929d0e0e4736")
        #expect(id("00-xyz-00f067aa0ba902b7-01") == nil)
        #expect(id("00-\(String(repeating: "\u{FF11}", count: 10))ab-00f067aa0ba902b7-01") == nil)
        #expect(id("") == nil)
    }

    @Test("A description shows the path without its query, redacted and of limited length.")
    func description() {
        let secret = App.RequestContext(self.desk.app, get("/a;token=abc?b=c"))
        #expect(secret.description == "<RequestContext '/a;token=[redacted]' [GET] of orders>")
        let long = App.RequestContext(self.desk.app, get("/" + String(repeating: "x", count: 5000)))
        #expect(long.description.utf8.count < 300)
    }
}
