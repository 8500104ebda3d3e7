// contrail serve: the postmortem service over a file that nobody writes.

import Foundation
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("contrail serve")
    struct ServeCommandTests {
        private static func with(_ body: (Program, PostmortemClient) async throws -> Void) async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let program = try Program("contrail", ["serve", "--db", DeadTrail.name, "--port", "0"], in: directory)
                defer { program.send(SIGKILL) }
                try await body(program, PostmortemClient(port: try await program.listeningPort()))
            }
        }

        @Test("Answers all routes about a dead file, and ends with status 0 on SIGTERM")
        func routes() async throws {
            try await Self.with { program, postmortem in
                let lines = try await postmortem.lines("SELECT path, outcome FROM contexts WHERE kind = 'request'")
                #expect(lines == ["/tea|ok", "/tea|failed"])

                let runs = try await postmortem.get("/v1/runs").json["runs"].elements
                #expect(runs.map { $0["app"] } == ["shop"])
                #expect(runs.map { $0["end_state"] } == ["clean"])

                let context = try await postmortem.get("/v1/contexts/4294967298").json
                #expect(context["context"]["path"] == "/tea")
                #expect(context["teardowns"].elements.map { $0["hook"] } == ["note"])
                #expect(context["g_snapshots"].elements.map { $0["g_json"] } == [#"{"order_id":7}"#])
                #expect(try await postmortem.get("/v1/contexts/1").status == 404)

                let health = try await postmortem.get("/healthz").json
                #expect(health["ok"] == true && health["runs"] == 1)
                // Nobody records here, so there is nothing to say about a recorder.
                #expect(health.members["recorder"] == nil)

                program.send(SIGTERM)
                #expect(try await program.waitForExit(within: .seconds(5)) == .exited(0))
                #expect(program.errors.text.isEmpty)
            }
        }

        @Test("Ends with status 0 on SIGINT")
        func interrupt() async throws {
            try await Self.with { program, _ in
                program.send(SIGINT)
                let ending = try await program.waitForExit(within: .seconds(5))
                #expect(ending == .exited(0))
            }
        }

        @Test("SQL that writes is denied, and the bytes of the trail stay")
        func writes() async throws {
            try await TemporaryDirectory.with { directory in
                try await DeadTrail.write(in: directory)
                let bytes = try directory.state[DeadTrail.name]
                let program = try Program("contrail", ["serve", "--db", DeadTrail.name, "--port", "0"], in: directory)
                defer { program.send(SIGKILL) }
                let postmortem = PostmortemClient(port: try await program.listeningPort())
                for sql in ["DELETE FROM event", "DELETE FROM events", "VACUUM", "PRAGMA user_version = 9"] {
                    let answer = try await postmortem.get("/v1/query", ["sql": sql])
                    #expect(answer.status == 403, "\(sql)")
                    #expect(try answer.json["code"] == "query_denied", "\(sql)")
                }
                #expect(try directory.state[DeadTrail.name] == bytes)
            }
        }
    }
}
