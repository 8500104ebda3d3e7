// Proxies: found at each access, and what they say when there is nothing.

import ContextVariables
import Testing

@Suite("Proxies")
struct ProxyTests {
    private struct Database: Sendable {
        let name: String
        var connection: Connection?
    }

    private struct Connection: Sendable {
        let number: Int
    }

    private let variable = ContextVariable<Database>("database")

    @Test("A proxy stands for the value of its variable, found anew at each access.")
    func variableProxy() throws {
        let proxy = ContextProxy(self.variable)
        for name in ["a", "b"] {
            try self.variable.withValue(Database(name: name)) { () throws in
                #expect(proxy.isBound)
                #expect(try proxy.name == name)
                #expect(try proxy.object.name == name)
            }
        }
    }

    @Test("A proxy with a key path stands for that part of the value.")
    func keyPath() throws {
        let proxy = ContextProxy(self.variable, \.name)
        try self.variable.withValue(Database(name: "orders")) { () throws in
            #expect(try proxy.object == "orders")
            #expect(try proxy.count == 6)
        }
        #expect(!proxy.isBound)
    }

    @Test("An unbound proxy throws, says what to do, and where it was made or asked.")
    func unbound() throws {
        let made = #line + 1
        let proxy = ContextProxy(self.variable)
        #expect(!proxy.isBound)
        let error = #expect(throws: VariableError.self) { _ = try proxy.name }
        #expect(error?.code == .unbound)
        #expect(error?.code.description == "unbound")
        #expect(error?.message.contains("object is not bound") == true)
        #expect(error?.message.contains("\"database\"") == true)
        #expect(error?.message.contains("set it") == true)
        #expect(error?.line == made)
        let asked = #line + 1
        #expect(throws: VariableError.self) { try proxy.get() }.map { #expect($0.line == asked) }
    }

    @Test("A message of its own takes the place of the default one.")
    func message() {
        let proxy = ContextProxy(self.variable, message: "open the database first")
        let error = #expect(throws: VariableError.self) { _ = try proxy.object }
        #expect(error?.message == "open the database first")
    }

    @Test("A closure that gives nil is bound to nil; one that throws is not bound, and the message has its error.")
    func closures() throws {
        struct Boom: Error {}
        let nothing = ContextProxy("nothing") { Int?.none }
        #expect(nothing.isBound)
        #expect(try nothing.object == nil)
        let broken = ContextProxy<Int>("broken") { throw Boom() }
        #expect(!broken.isBound)
        let error = #expect(throws: VariableError.self) { _ = try broken.object }
        #expect(error?.code == .unbound)
        #expect(error?.message.contains("Boom") == true)
    }

    @Test("A part that is nil is bound to nil, a declared default is bound.")
    func optionalParts() throws {
        let connection = ContextProxy(self.variable, \.connection)
        try self.variable.withValue(Database(name: "a")) { () throws in
            #expect(connection.isBound)
            #expect(try connection.object == nil)
        }
        #expect(ContextProxy(ContextVariable("n", default: 1)).isBound)
    }

    @Test("A recyclable variable has a proxy through a closure, and it follows the unit.")
    func recyclable() throws {
        let cache = RecyclableVariable<[String]>("cache")
        let proxy = ContextProxy(cache.name) { try cache.get() }
        let worker = Worker(kind: "job", number: 1)
        try worker.run { () throws in
            try cache.set(["a", "b"])
            #expect(try proxy.count == 2)
            worker.recycle()
            #expect(!proxy.isBound)
        }
    }

    @Test("An object that was taken from its proxy can be handed to another thread, the proxy itself is unbound there.")
    func handOver() async throws {
        let proxy = ContextProxy(self.variable)
        try await self.variable.withValue(Database(name: "a")) { () async throws in
            let object = try proxy.object
            let seen = try await onThread { (object.name, proxy.isBound) }
            #expect(seen == ("a", false))
        }
    }

    @Test("isSet asks for a value here, not for a default.")
    func isSet() throws {
        let variable = ContextVariable<Int?>("n", default: 1)
        #expect(!variable.isSet)
        try variable.withValue(nil) { () throws in
            #expect(variable.isSet)
            let token = try variable.set(3)
            try variable.reset(token)
            #expect(variable.isSet)
        }
        #expect(!variable.isSet)
    }
}
