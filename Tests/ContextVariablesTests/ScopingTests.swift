// Where a context variable's value is seen, and who may set it.

import ContextVariables
import Testing

@Suite("Scoping")
struct ScopingTests {
    private let variable = ContextVariable("n", default: 0)

    @Test("withValue binds for the closure and no longer.")
    func withValue() throws {
        try self.variable.withValue(1) { () throws in
            try self.variable.withValue(2) { () throws in #expect(try self.variable.get() == 2) }
            #expect(try self.variable.get() == 1)
        }
        #expect(try self.variable.get() == 0)
    }

    @Test("The async withValue binds across suspensions and no longer.")
    func asyncWithValue() async throws {
        try await self.variable.withValue(1) { () async throws in
            await Task.yield()
            #expect(try self.variable.get() == 1)
        }
        #expect(try self.variable.get() == 0)
    }

    @Test("What is set inside withValue ends with it.")
    func setEndsWithTheScope() throws {
        let other = ContextVariable("other", default: 0)
        try self.variable.withValue(1) { () throws in
            try other.set(9)
            try self.variable.set(9)
        }
        #expect(try other.get() == 0)
        #expect(try self.variable.get() == 0)
    }

    @Test("withValue lets the closure's own error through, typed.")
    func typedErrors() {
        struct Boom: Error, Equatable {}
        let error = #expect(throws: Boom.self) {
            try self.variable.withValue(1) { () throws(Boom) in throw Boom() }
        }
        #expect(error == Boom())
    }

    @Test("async let inherits the value.")
    func asyncLet() async throws {
        try await self.variable.withValue(1) { () async throws in
            async let seen = self.variable.get()
            #expect(try await seen == 1)
        }
    }

    @Test("The children of a group inherit the value.")
    func taskGroup() async throws {
        let seen = try await self.variable.withValue(1) { () async throws in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<8 { group.addTask { try self.variable.get() } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        #expect(seen == Array(repeating: 1, count: 8))
    }

    @Test("An unstructured task inherits the value, a detached one does not.")
    func unstructuredTasks() async throws {
        try await self.variable.withValue(1) { () async throws in
            #expect(try await Task { try self.variable.get() }.value == 1)
            #expect(try await Task.detached { try self.variable.get() }.value == 0)
        }
    }

    @Test("A child may not set in its parent's scope.")
    func childSetIsRefused() async throws {
        try await self.variable.withValue(1) { () async throws in
            async let child = code { try self.variable.set(2) }
            #expect(await child == .notOwner)
            #expect(try self.variable.get() == 1)
        }
    }

    @Test("A child sets in a scope of its own, and its parent does not see it.")
    func childScope() async throws {
        try await self.variable.withValue(1) { () async throws in
            async let child = self.variable.withValue(2) { () throws in
                try self.variable.set(3)
                return try self.variable.get()
            }
            #expect(try await child == 3)
            #expect(try self.variable.get() == 1)
        }
    }

    @Test("A task without a scope has nowhere to set.")
    func noScope() {
        #expect(code { try self.variable.set(1) } == .outsideScope)
    }

    @Test("A bare thread holds values of its own.")
    func bareThread() async throws {
        let variable = self.variable
        let seen = try await onThread {
            let token = try variable.set(1)
            let seen = try variable.get()
            try variable.reset(token)
            return [seen, try variable.get()]
        }
        #expect(seen == [1, 0])
        #expect(try await onThread { try variable.get() } == 0)
    }

    @Test("Nested scopes of one owner share their variables, a child's scope forks them.")
    func sharing() async throws {
        let variable = self.variable
        try await inUnit { () async throws in
            let outer = Scope.current
            let branch = Scope.branch(for: ExecutionID.current, nestedIn: outer)
            #expect(branch === outer?.branch)
            async let forked = Scope.branch(for: ExecutionID.current, nestedIn: outer) !== outer?.branch
            #expect(await forked)
            try variable.set(1)
        }
    }

    @Test("A value is released outside the lock: its deinit may read the variable.")
    func deinitMayRead() throws {
        let held = ContextVariable<Probe?>("held")
        try inUnit { () throws in
            try held.set(Probe { _ = held.get(default: nil) })
            try held.set(nil)
            #expect(held.get(default: Probe()) == nil)
        }
    }
}

extension Probe: Equatable {
    static func == (left: Probe, right: Probe) -> Bool { left === right }
}
