// The documents against the programs: what can be typed and asked is written down.

import Foundation
import ProcessSupport
import Testing

extension ContrailCLITests {
    @Suite("Documented")
    struct DocumentationTests {
        @Test("Every long flag of both programs", arguments: ["contrail", "Orders"])
        func flags(_ program: String) async throws {
            let text = try Self.documents()
            let flags = try await Self.flags(of: program)
            try #require(flags.count >= 4)
            let undocumented = flags.filter { !text.contains("--\($0)") }
            #expect(undocumented == [], "in no document")
        }

        @Test("Every route of the postmortem service and of the example")
        func routes() throws {
            let text = try Self.documents()
            let postmortem = try Self.literals(after: "self.add(", in: "Sources/ContrailServer/Postmortem.swift")
            let desk = try [".post(", ".get("]
                .flatMap { try Self.literals(after: "desk\($0)", in: "Examples/Orders/OrderDesk.swift") }
            // Fewer would mean that the sources are written in another way now, and this test reads nothing.
            try #require(postmortem.count >= 4 && desk.count >= 7)
            let routes = (postmortem + desk + ["_contrail"]).map { "/\($0)" }
            let undocumented = Set(routes).filter { !text.contains($0) }
            #expect(undocumented == [], "in no document")
        }

        /// The names of all long flags, those of subcommands included.
        private static func flags(of program: String) async throws -> Set<String> {
            try await TemporaryDirectory.with { directory in
                let result = try await Program.run(program, ["--experimental-dump-help"], in: directory)
                let help = try JSONValue(Data(result.output.utf8))
                return Self.flags(in: help["command"])
            }
        }

        private static func flags(in command: JSONValue) -> Set<String> {
            var flags: Set<String> = []
            for argument in command["arguments"].elements {
                for name in argument["names"].elements where name["kind"] == "long" {
                    if let name = name["name"].text { flags.insert(name) }
                }
            }
            for subcommand in command["subcommands"].elements { flags.formUnion(Self.flags(in: subcommand)) }
            return flags
        }

        /// The string literals that follow a piece of code.
        private static func literals(after code: String, in file: String) throws -> [String] {
            let source = try String(contentsOf: Self.package.appendingPathComponent(file), encoding: .utf8)
            return source.components(separatedBy: "\(code)\"").dropFirst().compactMap {
                $0.split(separator: "\"", omittingEmptySubsequences: false).first.map(String.init)
            }
        }

        /// README.md and the documents in docs/, the decisions not included, in one text.
        private static func documents() throws -> String {
            let docs = Self.package.appendingPathComponent("docs")
            let files = try FileManager.default.contentsOfDirectory(atPath: docs.path).filter { $0.hasSuffix(".md") }
            let documents =
                files.sorted().map(docs.appendingPathComponent)
                + [Self.package.appendingPathComponent("README.md")]
            return documents.map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }.joined(separator: "\n")
        }

        private static let package = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    }
}
