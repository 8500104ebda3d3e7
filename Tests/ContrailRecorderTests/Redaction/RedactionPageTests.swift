// The page about redaction says what the code does.

import ContrailRecorder
import Foundation
import Testing

@Suite("The page about redaction")
struct RedactionPageTests {
    private let lines: [Substring]

    init() throws {
        let root = URL(filePath: #filePath).appending(path: "../../../..").standardized
        let page = try String(contentsOf: root.appending(path: "docs/redaction.md"), encoding: .utf8)
        self.lines = page.split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// The words in code spans of a section, and in its table's first column only, if it has a table.
    private func words(under heading: String) -> Set<String> {
        let section = self.lines.drop { $0 != "## \(heading)" }.dropFirst().prefix { !$0.hasPrefix("## ") }
        let rows = section.filter { $0.hasPrefix("| `") }
        let texts =
            rows.isEmpty ? section.filter { $0.hasPrefix("`") } : rows.map { $0.dropFirst(2).prefix { $0 != "|" } }
        return Set(
            texts.flatMap { text in
                text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                    .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            }
        )
    }

    @Test("It lists the names that are secret.")
    func names() {
        #expect(self.words(under: "Names") == Set(RedactionPolicy.defaultNames))
    }

    @Test("It lists the patterns, and which of them are standard.")
    func patterns() {
        #expect(self.words(under: "Patterns") == Set(RedactionPolicy.Pattern.all.map(\.description)))
        for pattern in RedactionPolicy.Pattern.all {
            let row = self.lines.first { $0.hasPrefix("| `\(pattern)`") } ?? ""
            #expect(row.hasSuffix("| yes |") == RedactionPolicy.Pattern.standard.contains(pattern), "\(pattern)")
            #expect(row.hasSuffix("| no |") == !RedactionPolicy.Pattern.standard.contains(pattern), "\(pattern)")
        }
    }

    @Test("It lists how keys begin.")
    func prefixes() {
        #expect(self.words(under: "Key prefixes") == Set(APIKeyPrefix.all.map { "\($0.text)" }))
    }

    @Test("It lists the schemes.")
    func schemes() {
        #expect(self.words(under: "Schemes") == Set(AuthorizationScheme.all.map { "\($0.name)" }))
    }
}
