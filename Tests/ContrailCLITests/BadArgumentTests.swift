// Both programs with arguments that make no sense, SQL that writes, and a port that is taken.

import Foundation
import NIOCore
import NIOPosix
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("With bad arguments")
    struct BadArgumentTests {
        @Test("Flags and values that the programs do not know", arguments: Self.inputs)
        func flags(_ input: BadInput) async throws { try await input.check() }

        @Test("SQL that writes", arguments: Self.writes)
        func writing(_ sql: String) async throws {
            // SQLite itself says that a view is not modified; both refusals name the rule.
            let cause = sql.hasSuffix("events") ? "cannot modify events" : "only SELECT"
            try await BadInput(
                testDescription: sql,
                program: "contrail",
                arguments: ["query", "--db", DeadTrail.name, sql],
                cause: cause,
                remedy: "only SELECT",
                prepare: DeadTrail.write(in:)
            ).check()
        }

        @Test("A port that another process has", arguments: ["Orders", "contrail"])
        func port(_ program: String) async throws {
            let other = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .bind(host: "127.0.0.1", port: 0).get()
            let port = String(try #require(other.localAddress?.port))
            let arguments =
                program == "Orders"
                ? ["--port", port, "--database", "orders.sqlite", "--trail", "new.sqlite"]
                : ["serve", "--db", DeadTrail.name, "--port", port]
            try await BadInput(
                testDescription: program,
                program: program,
                arguments: arguments,
                cause: "port \(port)",
                remedy: "choose another with --port",
                prepare: DeadTrail.write(in:)
            ).check()
            try await other.close().get()
        }

        private static let writes = [
            "DELETE FROM event", "DELETE FROM events", "INSERT INTO run DEFAULT VALUES", "DROP TABLE event", "VACUUM",
            "CREATE TABLE x (y)", "ATTACH 'x.sqlite' AS x", "PRAGMA user_version = 3", "VACUUM INTO 'copy.sqlite'",
        ]

        private static let inputs: [BadInput] = [
            contrail("an unknown flag of query", ["query", "--db", "x", "--bogus", "SELECT 1"], "--bogus", "--help"),
            contrail("an unknown flag of serve", ["serve", "--db", "x", "--bogus"], "--bogus", "--help"),
            contrail("an unknown command", ["bogus"], "bogus", "--help"),
            contrail("query without --db", ["query", "SELECT 1"], "--db", "--help"),
            contrail("serve without --db", ["serve"], "--db", "--help"),
            contrail("query without SQL", ["query", "--db", "x"], "<sql>", "--help"),
            contrail("an unknown format", ["query", "--db", "x", "--format", "xml", "SELECT 1"], "xml", "'json'"),
            contrail("a limit that is no number", ["query", "--db", "x", "--limit", "many", "-"], "many", "--help"),
            contrail("a port out of range", ["serve", "--db", "x", "--port", "65536"], "65536", "0 to 65535"),
            contrail("a host on the network", ["serve", "--db", "x", "--host", "0.0.0.0"], "0.0.0.0", "127.0.0.1"),
            orders("an unknown flag of Orders", ["--bogus"], "--bogus", "--help"),
            orders("an argument too many", ["extra"], "extra", "--help"),
            orders("a port out of range for Orders", ["--port", "65536"], "65536", "0 to 65535"),
            orders("a port that is no number", ["--port", "http"], "http", "--help"),
        ]

        private static func contrail(
            _ name: String,
            _ arguments: [String],
            _ cause: String,
            _ remedy: String
        ) -> BadInput {
            BadInput(testDescription: name, program: "contrail", arguments: arguments, cause: cause, remedy: remedy)
        }

        private static func orders(
            _ name: String,
            _ arguments: [String],
            _ cause: String,
            _ remedy: String
        ) -> BadInput {
            BadInput(testDescription: name, program: "Orders", arguments: arguments, cause: cause, remedy: remedy)
        }
    }
}
