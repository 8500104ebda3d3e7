// The code of the article on variables.

import ContextVariables
import Contrail
import Testing

@Suite("The article on variables")
struct VariablesArticle {
    static let locale = ContextVariable<String>("locale", default: "en")

    @Test("Its values are bound, set and reset.")
    func bound() throws {
        func greeting() throws -> String { try Self.locale.get() }
        let locale = Self.locale

        try locale.withValue("de") {
            _ = try greeting()  // reads "de"
            let token = try locale.set("fr")
            _ = try greeting()  // reads "fr"
            try locale.reset(token)
        }
        #expect(try greeting() == "en")
        #expect(try locale.withValue("de") { () throws in try greeting() } == "de")
    }

    @Test("Its snapshot keeps what is set in it.")
    func snapshot() throws {
        let locale = Self.locale
        let snapshot = VariableSnapshot()
        _ = try snapshot.run { try locale.set("fr") }
        let inside = try snapshot.run { try locale.get() }  // "fr"
        let outside = try locale.get()  // "en"
        #expect(inside == "fr")
        #expect(outside == "en")
    }

    @Test("Its proxy finds the object anew.")
    func proxy() throws {
        let database = ContextVariable<OrderDatabase>("database")
        let currentDatabase = ContextProxy(database)

        try database.withValue(OrderDatabase()) {
            let state = try currentDatabase.ending  // a member of the object that is bound here
            #expect(state == "open")
        }
        #expect(!currentDatabase.isBound)
    }
}
