// What a variable offers in place of Werkzeug's stacks and locals.

import ContextVariables
import Testing

@Suite("Variables in place of stacks and locals")
struct VariableStackTests {
    private static let stack = ContextVariable<[Int?]>("catalogue stack", default: [])

    @Test("LOC-01: a list in a variable is a stack; what a child pushes does not reach its parent.")
    func pushes() async throws {
        try await Self.stack.withValue([1]) { () async throws in
            let child = Task {
                try Self.stack.withValue(Self.stack.get() + [2]) { () throws in try Self.stack.get() }
            }
            #expect(try await child.value == [1, 2])
            #expect(try Self.stack.get() == [1])
        }
    }

    @Test("LOC-01: the top of an empty one is nil, and popping it does nothing.")
    func empty() throws {
        #expect(try Self.stack.get().last == nil)
        try Self.stack.withValue(Self.stack.get().dropLast()) { () throws in #expect(try Self.stack.get().isEmpty) }
    }

    @Test("LOC-02: a nil on top is told from an empty stack.")
    func nilOnTop() throws {
        try Self.stack.withValue([nil]) { () throws in
            let top = try Self.stack.get().last
            #expect(top == .some(nil))
        }
    }

    @Test("LOC-03: what a scope releases stays with the scope around it.")
    func release() throws {
        try Self.stack.withValue([1]) { () throws in
            try Self.stack.withValue([]) { () throws in #expect(try Self.stack.get() == []) }
            #expect(try Self.stack.get() == [1])
        }
    }
}
