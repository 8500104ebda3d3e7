// What the runner is made of: the public product and nothing else.

import Foundation
import Testing

@Suite("Sources of the runner")
struct SourceTests {
    @Test("They import public modules only, without test hooks")
    func imports() throws {
        let allowed: Set<String> = [
            "ContextVariables", "Contrail", "Dispatch", "Foundation", "Glibc", "HTTPTypes", "Synchronization",
        ]
        var modules: Set<String> = []
        for (file, text) in try self.sources() {
            for line in text.split(separator: "\n") where line.contains("import ") && !line.contains("//") {
                #expect(!line.contains("@"), "\(file): \(line)")
                modules.insert(String(line.split(separator: " ").last ?? ""))
            }
            #expect(!text.contains("@_spi") && !text.contains("@testable") && !text.contains("dlsym"), "\(file)")
        }
        #expect(modules.isSubset(of: allowed), "\(modules.subtracting(allowed))")
        #expect(modules.isSuperset(of: ["ContextVariables", "Contrail"]))
    }

    @Test("The package hides what only the package may see from them")
    func packageAccess() throws {
        let manifest = Runner.tests.appendingPathComponent("../../Package.swift").standardizedFileURL
        let text = try String(contentsOf: manifest, encoding: .utf8)
        let target = try #require(text.components(separatedBy: "name: \"conformance\"").dropFirst().first)
        let declaration = try #require(target.components(separatedBy: "arget(").first)
        #expect(declaration.contains("packageAccess: false"))
    }

    @Test("They stay under 900 lines")
    func size() throws {
        let lines = try self.sources().map {
            $0.text.split(separator: "\n", omittingEmptySubsequences: false).count - 1
        }
        #expect(lines.reduce(0, +) < 900)
        #expect(lines.count > 5)
    }

    private func sources() throws -> [(file: String, text: String)] {
        try FileManager.default.contentsOfDirectory(atPath: Runner.sources.path).sorted().map { file in
            (file, try String(contentsOf: Runner.sources.appendingPathComponent(file), encoding: .utf8))
        }
    }
}
