// What errors and problems say of places: where a reader stood, who was there last, and what earlier work left behind.

import ContextVariables
import Contrail
import ContrailRecorder
import Dispatch
import Foundation
import HTTPTypes
import Testing

@Suite("Places")
struct PlaceTests {
    private let desk = Desk()

    @Test("A reader that names its place is found in the error and in the problem, with the owner's push and the age.")
    func staleReadSites() async throws {
        let ended = Gate()
        let pushed = #line + 1
        let task = await withRequestContext(self.desk.app, get()) { _ async in
            Task {
                await ended.wait()
                return code { _ = try Current.here().g }
            }
        }
        ended.open()
        #expect(await task.value == .contextEnded)
        let problem = try #require(self.desk.events().problems.first?.problem)
        #expect(problem.kind == .staleRead)
        #expect("\(problem.site)".contains("PlaceTests.swift:"))
        #expect("\(try #require(problem.ownerSite))".hasSuffix("PlaceTests.swift:\(pushed)"))
        #expect(try #require(problem.ageNanoseconds) > 0)
    }

    @Test("Outside a context the error names the context that was last on this thread, without its query.")
    func lastContext() async throws {
        let app = self.desk.app
        let message = try await onThread { () throws -> String in
            withRequestContext(app, get("/orders/7?token=abc")) { _ in }
            do {
                _ = try Current.app
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message.contains("the last context on this thread was a request context '/orders/7' of orders"))
        #expect(message.contains("ms ago"))
        #expect(!message.contains("token"))
    }

    @Test("A request on a pool thread finds what earlier work left there, and does not take it for its own.")
    func poisonedPoolThread() async throws {
        let app = self.desk.app
        let left = App.RequestContext(app, get("/left"))
        // One block stands for two: which thread a queue runs its next one on is not to be had for certain.
        let sawTenant = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Bool, any Error>) in
            DispatchQueue(label: "pool").async {
                continuation.resume(
                    with: Result { () throws -> Bool in
                        try left.push()
                        left.appContext?.g["tenant"] = "a"
                        let request = App.RequestContext(app, get("/next"))
                        try request.push()
                        let saw = try Current.g.contains("tenant")
                        try request.pop()
                        try left.pop()
                        return saw
                    }
                )
            }
        }
        let problems = self.desk.events().problems.filter { $0.problem.kind == .poisonedWorker }
        #expect(!sawTenant)
        #expect(problems.count == 2, "the request and the app context that it brought along")
        #expect(problems.allSatisfy { $0.problem.ownerSite != nil && ($0.problem.ageNanoseconds ?? 0) > 0 })
    }

    @Test("The closure form finds it as well, with the request that found it.")
    func poisonedClosureForm() async throws {
        let app = self.desk.app
        let left = App.RequestContext(app, get("/left"))
        let seen = try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<[Bool], any Error>) in
            DispatchQueue(label: "pool").async {
                continuation.resume(
                    with: Result { () throws -> [Bool] in
                        try left.push()
                        left.appContext?.g["tenant"] = "a"
                        var seen: [Bool] = []
                        for _ in 0..<2 {
                            try withRequestContext(app, get("/next")) { context in
                                seen.append(try Current.g.contains("tenant") || context.appContext === left.appContext)
                            }
                        }
                        try left.pop()
                        return seen
                    }
                )
            }
        }
        let events = self.desk.events()
        let problems = events.problems.filter { $0.problem.kind == .poisonedWorker }
        #expect(seen == [false, false])
        #expect(problems.count == 2, "the request and the app context that it brought along, once")
        #expect(Set(problems.compactMap(\.problem.other)).count == 1, "the first request that found them")
        #expect(problems.allSatisfy { $0.problem.ownerSite != nil && $0.problem.other != $0.event.context })
    }

    @Test("A hand-off that runs where earlier work left a context reports it once, and hides it.")
    func poisonedHandOff() async throws {
        let app = self.desk.app
        let left = App("left", recorder: app.recorder)
        try await withRequestContext(app, get("/owner")) { _ async throws in
            let snapshot = try ContextSnapshot("ship")
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                DispatchQueue(label: "ship").async {
                    continuation.resume(
                        with: Result {
                            let context = AppContext(left)
                            try context.push()
                            for _ in 0..<2 { try snapshot.run { #expect(Current.context?.app === app) } }
                            #expect(Current.context === context)
                            try context.pop()
                        }
                    )
                }
            }
        }
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == [.poisonedWorker])
        #expect(problems.first?.problem.other != nil)
    }

    @Test("A value that an earlier lifetime left in g is reported when another unit of work reads it, once.")
    func oldValue() async throws {
        let app = self.desk.app
        let context = AppContext(app)
        try await onThread {
            let request = App.RequestContext(app, get("/1"))
            try context.push()
            try request.push()
            context.g["user"] = "ada"
            try request.pop()
            try context.pop()
            try context.push()
            let next = App.RequestContext(app, get("/2"))
            try next.push()
            #expect(context.g["user"] as? String == "ada")
            #expect(context.g["user"] as? String == "ada")
            try next.pop()
            try context.pop()
        }
        let problems = self.desk.events().problems
        #expect(problems.map(\.problem.kind) == [.staleRead])
        let ownerSite = try #require(problems.first?.problem.ownerSite).description
        #expect(ownerSite.contains("PlaceTests.swift"))
        #expect(problems[0].event.context != problems[0].problem.other)
    }
}
