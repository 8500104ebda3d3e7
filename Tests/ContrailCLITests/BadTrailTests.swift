// Both programs with a trail that they cannot have.

import Foundation
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("With a bad trail")
    struct BadTrailTests {
        @Test("contrail query", arguments: Self.reading("query", ["SELECT 1"]))
        func query(_ input: BadInput) async throws { try await input.check() }

        @Test("contrail serve", arguments: Self.reading("serve", ["--port", "0"]))
        func serve(_ input: BadInput) async throws { try await input.check() }

        @Test("Orders", arguments: Self.writing)
        func orders(_ input: BadInput) async throws { try await input.check() }

        private static func reading(_ command: String, _ rest: [String]) -> [BadInput] {
            func input(
                _ name: String,
                _ path: String,
                _ cause: String,
                _ remedy: String,
                _ prepare: @escaping @Sendable (TemporaryDirectory) async throws -> Void = { _ in },
                _ isUnprivileged: Bool = false
            ) -> BadInput {
                BadInput(
                    testDescription: name,
                    program: "contrail",
                    arguments: [command, "--db", path] + rest,
                    cause: cause,
                    remedy: remedy,
                    isUnprivileged: isUnprivileged,
                    prepare: prepare
                )
            }
            return [
                input("a missing file", "none.sqlite", "does not exist", "name the trail's database file"),
                input("a missing directory", "none/trail.sqlite", "does not exist", "name the trail's database file"),
                input("a file for a directory", "notes.txt/x", "does not exist", "name the trail's", BadFile.text),
                input("a directory", ".", "is a directory", "name a file"),
                input("no database", "notes.txt", "not an SQLite database", "name another file", BadFile.text),
                input("another's database", "foreign.db", "not a trail", "name another file", BadFile.foreign),
                input("a newer schema", DeadTrail.name, "schema 99", "upgrade the program", BadFile.newer),
                // SQLite needs an index beside the file even to read it.
                input("an unwritable directory", DeadTrail.name, "cannot be opened", "check", BadFile.readOnly, true),
            ]
        }

        private static let writing: [BadInput] = [
            trail("a missing directory", "none/trail.sqlite", "does not exist", "create it"),
            trail("a file for a directory", "notes.txt/x", "notes.txt", "create it", BadFile.text),
            trail("a directory", ".", "is a directory", "name a file"),
            trail("a directory of the kernel's", "/proc/trail", "/proc/trail", "owner and mode"),
            trail("no database", "notes.txt", "not an SQLite database", "name another file", BadFile.text),
            trail("another's database", "foreign.db", "not a trail", "name another file", BadFile.foreign),
            trail("a newer schema", DeadTrail.name, "schema 99", "upgrade the program", BadFile.newer),
            trail("an unwritable directory", "locked/x", "not writable", "mode", BadFile.readOnlyDirectory, true),
            database("no directory for the orders", "none/x", "none/x", "--database"),
            database("a directory of the kernel's for the orders", "/proc/x", "/proc/x", "--database"),
            database("a directory for the orders", ".", ".", "--database"),
            database("no database for the orders", "notes.txt", "notes.txt", "--database", BadFile.text),
            database("another's database for the orders", "foreign.db", "foreign.db", "--database", BadFile.foreign),
            database(
                "an unwritable directory for orders",
                "locked/x",
                "locked/x",
                "--database",
                BadFile.readOnlyDirectory,
                true
            ),
        ]

        private static func trail(
            _ name: String,
            _ path: String,
            _ cause: String,
            _ remedy: String,
            _ prepare: @escaping @Sendable (TemporaryDirectory) async throws -> Void = { _ in },
            _ isUnprivileged: Bool = false
        ) -> BadInput {
            BadInput(
                testDescription: name,
                program: "Orders",
                arguments: ["--port", "0", "--database", "orders.sqlite", "--trail", path],
                cause: cause,
                remedy: remedy,
                isUnprivileged: isUnprivileged,
                prepare: prepare
            )
        }

        private static func database(
            _ name: String,
            _ path: String,
            _ cause: String,
            _ remedy: String,
            _ prepare: @escaping @Sendable (TemporaryDirectory) async throws -> Void = { _ in },
            _ isUnprivileged: Bool = false
        ) -> BadInput {
            BadInput(
                testDescription: name,
                program: "Orders",
                arguments: ["--port", "0", "--database", path, "--trail", "trail.sqlite"],
                cause: cause,
                remedy: remedy,
                isUnprivileged: isUnprivileged,
                prepare: prepare
            )
        }
    }
}
