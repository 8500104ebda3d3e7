// Copies of the current request, functions in contexts of their own, and commands.

import Contrail
import ContrailRecorder
import Dispatch
import Foundation
import HTTPTypes
import Synchronization
import Testing

@Suite("Copies and wrappers")
struct CopyTests {
    private let desk = Desk()
    private let log = Log()

    @Test("One copied function serves 64 threads at once: each call has a context and a teardown of its own (HLP-07).")
    func manyAtOnce() throws {
        let ended = Counter()
        let app = self.desk.app
        try app.teardownRequest("request") { _, _ in _ = ended.next() }
        let seen = Mutex<Set<ObjectIdentifier>>([])
        let contexts = Mutex<[AppContext]>([])
        try withRequestContext(app, get("/x")) { context throws in
            try context.g["x"] = 1
            let function = try copyCurrentRequestContext { (number: Int) -> String in
                let own = try Current.here().appContext
                _ = seen.withLock { $0.insert(ObjectIdentifier(own)) }
                contexts.withLock { $0.append(own) }
                return "\(try Current.request.path ?? "") \(number) \(own.g.contains("x"))"
            }
            let answers = Mutex<[String]>([])
            let done = DispatchGroup()
            for number in 0..<64 {
                done.enter()
                Thread.detachNewThread {
                    let answer = (try? function(number)) ?? "failed"
                    answers.withLock { $0.append(answer) }
                    done.leave()
                }
            }
            done.wait()
            #expect(answers.withLock { $0.count { $0.hasSuffix("false") } } == 64)
            #expect(seen.withLock { $0.count } == 64)
        }
        #expect(ended.next() == 66, "64 copies and the original")
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("Calls in each other push one copy, which is torn down with the first, and each has its app context.")
    func callInCall() throws {
        let (app, other, log) = (self.desk.app, App("other"), self.log)
        try app.teardownRequest("r") { _, _ in log.add("torn down") }
        let function = try withRequestContext(app, get()) { _ throws in
            try copyCurrentRequestContext { (inner: (() throws -> Void)?) throws -> App.RequestContext in
                let request = try Current.here().requestContext
                let context = Current.context
                try withAppContext(other) { _ throws in try withAppContext(app) { _ throws in try inner?() } }
                log.add("called")
                #expect(request.appContext === context)
                return request
            }
        }
        #expect(log.lines == ["torn down"])
        let outer = try function {
            let inner = try function(nil)
            #expect(inner === Current.requestContext)
        }
        #expect(!outer.isPushed)
        #expect(log.lines == ["torn down", "called", "called", "torn down"])
        // The next call is another's.
        #expect(try function(nil) !== outer)
    }

    @Test("An async function runs in the copy across its suspensions, also in a detached task.")
    func asyncCopy() async throws {
        let app = self.desk.app
        let text = try await withRequestContext(app, get("/x")) { _ async throws -> String in
            let function = try copyCurrentRequestContext { (suffix: String) async throws -> String in
                await Task.yield()
                return "\(try Current.request.path ?? "")\(suffix)"
            }
            return try await Task.detached { try await function("!") }.value
        }
        #expect(text == "/x!")
        let events = self.desk.events()
        #expect(events.pushes.map(\.push.origin).filter { $0 == .copy }.count == 2)
        #expect(events.contains { $0.kind == .handoff })
    }

    @Test("When the teardown of a copy fails, its error names what it took the place of.")
    func replaced() throws {
        try self.desk.app.teardownRequest { _, _ in throw Boom() }
        // The original's teardown fails as well; its body's error leaves first.
        #expect(throws: CancellationError.self) {
            try withRequestContextSync(self.desk.app) { _ in
                let function = try copyCurrentRequestContext { () throws -> Void in throw App.Abort(404) }
                do {
                    try function()
                    Issue.record("it must throw")
                } catch let error as ContextError {
                    #expect(error.code == .teardownFailed)
                    #expect((error.replaced as? App.Abort)?.code == 404)
                }
                throw CancellationError()
            }
        }
    }

    @Test("With an async hook a sync copy is refused before any effect, and leaves nothing on the thread.")
    func syncCopyWithAsyncHook() async throws {
        try self.desk.app.teardownRequest { _, _ async in }
        let app = self.desk.app
        let function = try await withRequestContext(app, get("/secret")) { _ async throws in
            try copyCurrentRequestContext { () throws -> Void in try Current.g["user"] = "ada" }
        }
        let (refused, isLeft) = try await onThread {
            (code { try syncCall(function) }, hasAppContext())
        }
        #expect(refused == .asyncHooks)
        #expect(!isLeft)
    }

    @Test("Outside a request nothing can be copied, and the function is not made.")
    func outside() throws {
        #expect(code { _ = try copyCurrentRequestContext { 1 } } == .outsideRequestContext)
        try withAppContext(self.desk.app) { _ throws in
            #expect(code { _ = try copyCurrentRequestContext { 1 } } == .outsideRequestContext)
            #expect(code { try afterThisRequest { $1 } } == .outsideRequestContext)
        }
    }

    @Test("A command pushes an app context only where none of its app is, and pops only its own (CTX-19).")
    func command() throws {
        let other = App("other")
        let depth = try withCommandContext(self.desk.app) { outer throws in
            let inner = withCommandContext(self.desk.app) { $0 }
            #expect(inner === outer)
            #expect(outer.isPushed)
            return withCommandContext(other) { $0 !== outer && $0.app === other }
        }
        #expect(depth)
        #expect(!hasAppContext())
        #expect(self.desk.events().pops.count == 1)
    }

    @Test("A wrapped function runs in an app context of its own at each call.")
    func wrapping() async throws {
        let app = self.desk.app
        let greet = app.wrapping { (name: String, times: Int) in
            try Current.g["name"] = name
            return "\(try Current.app.name): \(Array(repeating: name, count: times).joined(separator: " "))"
        }
        #expect(try greet("ada", 2) == "orders: ada ada")
        let later = app.wrapping { (name: String) async throws -> Bool in
            await Task.yield()
            return try Current.g.contains("name")
        }
        #expect(try await later("ada") == false)
        #expect(self.desk.events().pops.count == 2)
    }
}

private func syncCall(_ function: () throws -> Void) throws { try function() }
