// The code of the articles is code that the tests compile and run.

import Foundation
import Testing

@Suite("Code of the articles")
struct ArticleTests {
    private static let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    private static let articles = Self.sources.appendingPathComponent("../../../Sources/Contrail/Contrail.docc")
        .standardizedFileURL

    /// The text of all files of a folder with this ending, by name.
    private static func files(in folder: URL, ending: String) throws -> [String: String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(ending) }
        return try Dictionary(
            uniqueKeysWithValues: names.map { name in
                (name, try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8))
            }
        )
    }

    /// The block as it stands at a depth of indentation.
    private static func indented(_ block: Substring, by depth: Int) -> String {
        block.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.isEmpty ? "" : String(repeating: " ", count: depth) + $0 }
            .joined(separator: "\n")
    }

    @Test("Every block of Swift in an article stands in the sources beside this test, line by line.")
    func blocks() throws {
        let sources = try Self.files(in: Self.sources, ending: "Article.swift").values.joined(separator: "\n")
        var count = 0
        for (name, text) in try Self.files(in: Self.articles, ending: ".md") {
            for match in text.matches(of: /```swift\n((?s:.+?))\n```/) {
                count += 1
                let isThere = [0, 4, 8, 12].contains { depth in
                    sources.contains("\n\(Self.indented(match.output.1, by: depth))\n")
                }
                #expect(isThere, "\(name): \(match.output.1)")
            }
        }
        #expect(count >= 12)
    }

    @Test("Every piece of code on Contrail's side of a table stands in the sources as well.")
    func tables() throws {
        let source = try #require(try Self.files(in: Self.sources, ending: "FlaskArticle.swift").first?.value)
        let article = try String(
            contentsOf: Self.articles.appendingPathComponent("ComingFromFlask.md"),
            encoding: .utf8
        )
        let pieces = article.matches(of: /\n\| [^|]+ \| `([^`|]+)`/).map { String($0.output.1) }
        #expect(pieces.count > 25)
        for piece in pieces { #expect(source.contains(piece), "\(piece)") }
    }
}
