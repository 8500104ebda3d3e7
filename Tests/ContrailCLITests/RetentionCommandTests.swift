// contrail retention: what it says, and what it changes.

import ContrailStore
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("contrail retention")
    struct RetentionCommandTests {
        private static func run(_ arguments: [String], in directory: TemporaryDirectory) async throws -> Program.Result
        {
            try await Program.run("contrail", ["retention"] + arguments + ["--db", DeadTrail.name], in: directory)
        }

        @Test("A context is pinned, shown as such, and unpinned, and the trail still verifies")
        func pins() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let context = (1 << 32) + 2
                let pinned = try await Self.run(["pin", "\(context)"], in: directory)
                #expect(pinned.errors == "")
                #expect(pinned.output == "context \(context) is pinned\n")
                let status = try await Self.run(["status"], in: directory)
                #expect(status.errors == "")
                #expect(status.output.contains("cap: 4294967296 bytes\n"))
                #expect(status.output.contains("dropped: 0 events, 0 bytes in 0 slices\n"))
                #expect(status.output.hasSuffix("pinned: \(context)\n"))
                let unpinned = try await Self.run(["unpin", "\(context)"], in: directory)
                #expect(unpinned.output == "context \(context) is not pinned\n")
                #expect(try await Self.run(["status"], in: directory).output.hasSuffix("pinned: none\n"))
                let verified = try await Program.run("contrail", ["verify", "--db", DeadTrail.name], in: directory)
                #expect(verified.ending == .exited(0))
            }
        }

        @Test("A context that is not there cannot be pinned: one line says where ids are")
        func unknown() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let result = try await Self.run(["pin", "99"], in: directory)
                #expect(result.ending == .exited(1))
                #expect(
                    result.errors == "contrail: the trail has no context 99: ask contexts for the ids that it has\n"
                )
            }
        }
    }
}
