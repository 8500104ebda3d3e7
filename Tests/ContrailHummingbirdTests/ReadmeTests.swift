// The README's example is the one that is compiled.

import Foundation
import Testing

@Suite("The README")
struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("its embedding example is the function that the tests compile, in 15 lines or fewer")
    func example() throws {
        let source = try String(
            contentsOf: Self.root.appendingPathComponent("Tests/ContrailHummingbirdTests/EmbeddingExample.swift"),
            encoding: .utf8
        )
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasPrefix("func runShop") })
        let end = try #require(lines[start...].firstIndex { $0 == "}" })
        let body = lines[(start + 1)..<end].map { $0.dropFirst(4) }
        #expect(body.count <= 15)
        let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(readme.contains("```swift\n\(body.joined(separator: "\n"))\n```"))
    }

    @Test("it opens with the two commands")
    func commands() throws {
        let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        let block = try #require(readme.components(separatedBy: "```sh\n").dropFirst().first)
        let commands = block.prefix { $0 != "`" }.split(separator: "\n").map {
            $0.prefix { $0 != "#" }.trimmingCharacters(in: .whitespaces)
        }
        #expect(commands == ["make run", "make test"])
    }

    @Test("its postmortem names the line that leaks")
    func leak() throws {
        let desk = try String(
            contentsOf: Self.root.appendingPathComponent("Examples/Orders/OrderDesk.swift"),
            encoding: .utf8
        )
        let lines = desk.split(separator: "\n", omittingEmptySubsequences: false)
        let line = try #require(lines.firstIndex { $0.contains("AppContext(self.app).push()") }) + 1
        let readme = try String(contentsOf: Self.root.appendingPathComponent("README.md"), encoding: .utf8)
        #expect(readme.contains("Orders/OrderDesk.swift:\(line) "))
    }
}
