// Contexts inside contexts, and contexts of others: whose unit goes on, and who may pop what.

import ContextVariables
import Contrail
import ContrailRecorder
import Foundation
import Testing

@Suite("Nesting")
struct NestingTests {
    private let desk = Desk()
    private let cache = RecyclableVariable<Int>("cache")

    @Test(
        "A request inside an app context is a unit of its own, and the outer one keeps its values.",
        arguments: [true, false]
    )
    func requestInsideAppContext(onWorker: Bool) async throws {
        let worker = onWorker ? Worker(kind: "job", number: 1) : nil
        try await onThread {
            try withAppContext(self.desk.app, worker: worker) { _ throws in
                try self.cache.set(1)
                try withRequestContext(self.desk.app, get(), worker: worker) { _ throws in
                    #expect(self.cache.miss != nil)
                    try self.cache.set(2)
                }
                #expect(try self.cache.get() == 1)
                try self.cache.set(3)
            }
        }
        #expect(!self.desk.kinds().contains(.recycle))
    }

    @Test("A pop by a task that has a scope of its own is foreign when another task pushed.")
    func foreignPopFromAScope() async throws {
        try await withAppContext(self.desk.app) { _ async throws in
            let context = AppContext(self.desk.app)
            try context.push()
            let other = self.desk
            let codes = await Task.detached {
                await withAppContext(other.app) { _ async in
                    [code { try context.pop() }, code { try context.pop() }]
                }
            }.value
            #expect(codes == [.foreignPop, .foreignPop])
            try await context.pop()
        }
        #expect(self.desk.events().problems.map(\.problem.kind) == [.foreignPop, .foreignPop])
    }

    @Test("A refused pop names the other context, in words with its push and in the trail by its number.")
    func otherContext() throws {
        try withAppContext(self.desk.app) { _ throws in
            let first = App.RequestContext(self.desk.app, get("/first"))
            let second = App.RequestContext(self.desk.app, get("/second"))
            try first.push()
            try second.push()
            let error = #expect(throws: ContextError.self) { try first.pop() }
            #expect(error?.message.contains("/first") == true)
            #expect(error?.message.contains("/second") == true)
            #expect(error?.message.components(separatedBy: "NestingTests.swift:").count == 3)
            try second.pop()
            try first.pop()
        }
        let events = self.desk.events()
        let second = events.pushes.last?.event.context
        #expect(events.problems.map(\.problem.other) == [second])
        #expect(second != nil)
    }

    @Test("A run that is out of numbers goes on without them.")
    func outOfNumbers() {
        let recorder = FlightRecorder(configuration: .init(), lifetimesBefore: UInt64(UInt32.max) - 1)
        let app = App("shop", recorder: recorder)
        for _ in 0..<3 { withAppContext(app) { _ in } }
        var contexts: [UInt32?] = []
        while let event = recorder.takeEvent() { contexts.append(event.context) }
        #expect(contexts == [.max, .max, nil, nil, nil, nil])
    }

    @Test("Names that callers give are kept short and free of secrets.")
    func callersNames() throws {
        let long = String(repeating: "n", count: 1000)
        try withAppContext(self.desk.app) { context throws in
            Current.mark("login password=hunter2")
            Current.mark(long)
            context.g[long] = 1
            context.g.snapshot("token=hunter2")
            _ = try ContextSnapshot("secret=hunter2")
        }
        let names = self.desk.events().compactMap { event -> String? in
            switch event.body {
            case .mark(let name, _), .gSet(let name, _, _), .handoff(let name, _): name.text
            case .gSnapshot(let snapshot): snapshot.label
            default: nil
            }
        }
        #expect(names.count == 6)
        for name in names {
            #expect(name.utf8.count <= 128)
            #expect(!name.contains("hunter2"))
        }
    }

    @Test("The last record of a name in g is its last value, however many write it.")
    func orderOfRecords() async throws {
        for _ in 0..<200 {
            let desk = Desk()
            let stored = await withAppContext(desk.app) { context async in
                await withTaskGroup { group in
                    for value in 0..<4 { group.addTask { context.g["x"] = value } }
                }
                return context.g["x"] as? Int
            }
            let recorded = desk.events().compactMap { event -> RecordedValue? in
                if case .gSet(_, let value, _) = event.body { value } else { nil }
            }
            #expect(recorded.last == stored.map { .integer(Int64($0)) })
        }
    }

    @Test("A load that asks for its own variable gets an error instead of waiting for itself.")
    func recursiveLoad() async throws {
        try await withAppContext(self.desk.app) { _ async throws in
            await #expect(throws: VariableError.self) {
                try await self.cache.getOrLoad { try await self.cache.getOrLoad { 1 } }
            }
            #expect(try await self.cache.getOrLoad { 2 } == 2)
        }
    }
}
