// Contexts of one's own over variables.

import ContextVariables
import PluginContexts
import Synchronization
import Testing

@Suite("Custom contexts")
struct CustomContextTests {
    private struct Boom: Error {}

    private let worker = Worker(kind: "test", number: 1)

    @Test("A manager gives the variable's value and cleans up however the body ends.")
    func manager() throws {
        let variable = RecyclableVariable<String>("v")
        let exits = Exits()
        let manager = CustomContextManager(variable) { value, error in exits.add("\(value) \(error is Boom)") }
        try self.worker.run { () throws in
            try variable.set("x")
            #expect(try manager.use { $0 + "!" } == "x!")
            #expect(throws: Boom.self) { try manager.use { _ in throw Boom() } }
        }
        #expect(exits.lines == ["x false", "x true"])
    }

    @Test("A manager of a variable without a value runs nothing, and says why.")
    func managerWithoutValue() throws {
        let exits = Exits()
        let manager = CustomContextManager(RecyclableVariable<Int>("v")) { _, _ in exits.add("exit") }
        let error = try self.worker.run { () throws in
            #expect(throws: VariableError.self) { try manager.use { _ in exits.add("body") } }
        }
        #expect(error?.code == .neverSet)
        #expect(exits.lines == [])
    }

    @Test("A database is current in its body, and closed after it, also when it throws.")
    func database() throws {
        try self.worker.run { () throws in
            #expect(!currentDatabase.isBound)
            let connection = try DatabaseContext("orders").use { connection throws in
                #expect(try currentDatabase.url == "orders")
                #expect(try currentDatabase.object === connection)
                #expect(connection.isOpen)
                return connection
            }
            #expect(!connection.isOpen)
            #expect(throws: Boom.self) { try DatabaseContext("orders").use { _ in throw Boom() } }
            #expect(!currentDatabase.isBound)
        }
    }

    @Test("A database context is entered inside itself and others, and leaves nothing set.")
    func reentrant() throws {
        try self.worker.run { () throws in
            let orders = DatabaseContext("orders")
            try orders.use { outer throws in
                try DatabaseContext("users").use { _ throws in
                    try orders.use { inner in #expect(inner === outer) }
                    #expect(try currentDatabase.url == "users")
                    #expect(outer.isOpen)
                }
                #expect(try currentDatabase.url == "orders")
            }
            #expect(!currentDatabase.isBound)
        }
    }

    @Test("Outside a database context its proxy says what to do.")
    func unbound() {
        let error = #expect(throws: VariableError.self) { _ = try currentDatabase.url }
        #expect(error?.code == .unbound)
        #expect(error?.message.contains("DatabaseContext") == true)
    }
}

/// What was left, in order.
private final class Exits: Sendable {
    private let all = Mutex<[String]>([])

    var lines: [String] { self.all.withLock { $0 } }

    func add(_ line: String) { self.all.withLock { $0.append(line) } }
}
