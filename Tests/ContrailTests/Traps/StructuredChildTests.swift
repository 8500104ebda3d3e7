// Child tasks: they read their parent's contexts, end before its teardown, and keep to themselves what they open.

import ContextVariables
import Contrail
import ContrailRecorder
import Testing

@Suite("Structured children")
struct StructuredChildTests {
    private let desk = Desk()
    private let log = Log()

    @Test("async let and the children of a group read their parent's request, g and recyclable values.")
    func readers() async throws {
        let cache = RecyclableVariable<Int>("cache")
        try await withRequestContext(self.desk.app, get()) { request async throws in
            try cache.set(1)
            async let child = { @Sendable in
                await Task.yield()
                try Current.g["child"] = 1
                return (Current.requestContext, try cache.get())
            }()
            #expect(try await child.0 === request)
            #expect(try await child.1 == 1)
            try await withThrowingTaskGroup(of: App.RequestContext?.self) { group in
                for number in 0..<4 {
                    group.addTask {
                        try Current.g["group\(number)"] = try cache.get()
                        return Current.requestContext
                    }
                }
                for try await seen in group { #expect(seen === request) }
            }
            #expect(try request.g.names.count == 5)
        }
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("A child that nobody awaits has ended, and was not late, when teardown begins.")
    func unawaitedChild() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        let (log, started) = (self.log, Gate())
        await withAppContext(self.desk.app) { context async in
            async let _ = { @Sendable in
                started.open()
                while !Task.isCancelled { await Task.yield() }
                log.add("child \(Current.context === context)")
            }()
            await started.wait()
        }
        #expect(log.lines == ["child true", "a ok"])
        #expect(self.desk.events().problems.isEmpty)
    }

    @Test("What a child opens is current in that child alone, not in its siblings and not in its parent.")
    func siblings() async throws {
        let other = Desk("other")
        let (opened, read) = (Gate(), Gate())
        try await withAppContext(self.desk.app) { outer async throws in
            async let opener: Void = withRequestContext(other.app, get()) { request async in
                opened.open()
                await read.wait()
                #expect(Current.requestContext === request)
            }
            async let sibling = { @Sendable in
                await opened.wait()
                return (Current.context, Current.requestContext)
            }()
            let seen = await sibling
            #expect(seen.0 === outer)
            #expect(seen.1 == nil)
            #expect(Current.context === outer)
            #expect(Current.requestContext == nil)
            read.open()
            await opener
        }
    }

    @Test("A context that is opened inside a group's body reaches the children that are added there, and no others.")
    func insideTheBody() async {
        await withTaskGroup(of: AppContext?.self) { group in
            let (opened, read) = (Gate(), Gate())
            group.addTask {
                await opened.wait()
                defer { read.open() }
                return Current.context
            }
            await withAppContext(self.desk.app) { context async in
                opened.open()
                await read.wait()
                #expect(await group.next()?.map(ObjectIdentifier.init) == nil)
                group.addTask { Current.context }
                #expect(await group.next()?.map(ObjectIdentifier.init) == ObjectIdentifier(context))
            }
        }
    }

    @Test("An error of one child cancels the others, and the context fails with it once.")
    func failingChild() async throws {
        try self.desk.logHooks(self.log, app: ["a"])
        await #expect(throws: Boom(name: "child")) {
            try await withAppContext(self.desk.app) { _ async throws in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { throw Boom(name: "child") }
                    group.addTask { while !Task.isCancelled { await Task.yield() } }
                    // `waitForAll` would wait for the second child, which nobody has cancelled yet.
                    while try await group.next() != nil { continue }
                }
            }
        }
        #expect(self.log.lines == ["a failed child"])
    }
}
