// contrail verify, reindex and erase: what they say, and their exit status.

import ContrailStore
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("contrail verify, reindex and erase")
    struct IntegrityCommandTests {
        private static func run(
            _ command: String,
            _ arguments: [String] = [],
            in directory: TemporaryDirectory
        ) async throws -> Program.Result {
            try await Program.run("contrail", [command, "--db", DeadTrail.name] + arguments, in: directory)
        }

        @Test("A trail that is as it was written passes, and no file is left beside it")
        func verified() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let result = try await Self.run("verify", in: directory)
                #expect(result.errors == "")
                #expect(result.ending == .exited(0))
                #expect(result.output.hasSuffix("events are as they were written\n"))
            }
        }

        @Test("A change is named on one line, and the exit status says so; reindex mends what can be made anew")
        func changed() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                try await SQLiteShell.lines(
                    "UPDATE context SET outcome = 'ok'",
                    in: directory.path(DeadTrail.name)
                )
                let result = try await Self.run("verify", in: directory)
                #expect(result.ending == .exited(1))
                #expect(result.errors.hasPrefix("contrail: projection_differs: "))
                #expect(result.errors.split(separator: "\n").count == 1)
                #expect(try await Self.run("reindex", in: directory).ending == .exited(0))
                #expect(try await Self.run("verify", in: directory).ending == .exited(0))
            }
        }

        @Test("A value is erased, and the trail still verifies")
        func erased() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let result = try await Self.run("erase", ["--key", "order_id", "--equals", "7"], in: directory)
                #expect(result.errors == "")
                #expect(result.output == "2 values erased\n")
                let verified = try await Self.run("verify", in: directory)
                #expect(verified.ending == .exited(0))
                #expect(verified.output.hasSuffix("2 payloads were erased\n"))
            }
        }

        @Test("A key file that is not there is an error, not a trail without a key")
        func missingKey() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let result = try await Self.run("verify", ["--key-file", "none"], in: directory)
                #expect(result.ending == .exited(1))
                #expect(result.errors.contains("none cannot be read"))
            }
        }
    }
}
