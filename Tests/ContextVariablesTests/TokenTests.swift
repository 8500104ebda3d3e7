// Tokens: what a reset restores, what it refuses, and in which order it looks.

import ContextVariables
import Testing

@Suite("Tokens")
struct TokenTests {
    @Test("A reset restores the value from before the set.")
    func resetRestores() throws {
        let variable = ContextVariable<Int>("n")
        try variable.withValue(1) { () throws in
            let token = try variable.set(2)
            #expect(try variable.get() == 2)
            try variable.reset(token)
            #expect(try variable.get() == 1)
        }
    }

    @Test("A reset to nothing removes the variable.")
    func resetRemoves() throws {
        let variable = ContextVariable<Int>("n")
        try inUnit { () throws in
            let token = try variable.set(1)
            #expect(token.oldValue == nil)
            try variable.reset(token)
            #expect(code { _ = try variable.get() } == .neverSet)
        }
    }

    @Test("Resets out of order are legal and bring old values back.")
    func resetOutOfOrder() throws {
        let variable = ContextVariable<Int>("n")
        try inUnit { () throws in
            let first = try variable.set(1)
            let second = try variable.set(2)
            try variable.reset(first)
            #expect(code { _ = try variable.get() } == .neverSet)
            try variable.reset(second)
            #expect(try variable.get() == 1)
        }
    }

    @Test("A token works once.")
    func tokenUsed() throws {
        let variable = ContextVariable<Int>("n")
        try inUnit { () throws in
            let token = try variable.set(1)
            try variable.reset(token)
            #expect(code { try variable.reset(token) } == .tokenUsed)
        }
    }

    @Test("A used token is refused as used before anything else is looked at.")
    func usedComesFirst() throws {
        let variable = ContextVariable<Int>("n")
        let other = ContextVariable<Int>("other")
        try inUnit { () throws in
            let token = try variable.set(1)
            try variable.reset(token)
            try inUnit { () throws in
                #expect(code { try other.reset(token) } == .tokenUsed)
            }
        }
    }

    @Test("Another variable's token is refused before the context is looked at.")
    func variableComesSecond() throws {
        let variable = ContextVariable<Int>("n")
        let other = ContextVariable<Int>("other")
        try inUnit { () throws in
            let token = try variable.set(1)
            try inUnit { () throws in
                #expect(code { try other.reset(token) } == .tokenOtherVariable)
                #expect(code { try variable.reset(token) } == .tokenOtherContext)
            }
        }
    }

    @Test("A refused reset leaves the value and the token as they were.")
    func refusedResetChangesNothing() throws {
        let variable = ContextVariable<Int>("n")
        let other = ContextVariable<Int>("other")
        try variable.withValue(1) { () throws in
            let token = try variable.set(2)
            #expect(code { try other.reset(token) } == .tokenOtherVariable)
            #expect(code { try inUnit { try variable.reset(token) } } == .tokenOtherContext)
            #expect(try variable.get() == 2)
            try variable.reset(token)
            #expect(try variable.get() == 1)
        }
    }

    @Test("A stored nil is a value: a reset restores it, and a reset to nothing removes it.")
    func optionalValues() throws {
        let variable = ContextVariable<Int?>("maybe")
        try inUnit { () throws in
            #expect(code { _ = try variable.get() } == .neverSet)
            let first = try variable.set(nil)
            #expect(first.oldValue == Int??.none)
            #expect(try variable.get() == nil)
            let second = try variable.set(5)
            #expect(second.oldValue == Int??.some(nil))
            try variable.reset(second)
            #expect(try variable.get() == nil)
            try variable.reset(first)
            #expect(code { _ = try variable.get() } == .neverSet)
        }
    }

    @Test("The call's default wins over the declared one.")
    func defaults() throws {
        let variable = ContextVariable("n", default: 1)
        #expect(try variable.get() == 1)
        #expect(variable.get(default: 2) == 2)
        try variable.withValue(3) { () throws in #expect(variable.get(default: 2) == 3) }
    }

    @Test("An error names the variable and the line of the call.")
    func errorNamesTheSite() throws {
        let variable = ContextVariable<Int>("lonely")
        let line = #line + 1
        let error = #expect(throws: VariableError.self) { try variable.get() }
        #expect(error?.line == line)
        #expect(error?.fileID == #fileID)
        #expect(error?.message.contains("lonely") == true)
    }
}
