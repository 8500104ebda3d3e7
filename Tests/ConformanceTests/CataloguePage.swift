// docs/conformance.md, taken apart, and what it may name.

import Foundation

/// The page: one row for each id of the catalogue.
struct CataloguePage {
    struct Row {
        let id: String
        let behaviour: String
        let status: String
        /// What shows it, as it is written.
        let evidence: String

        /// The ids of vectors, which are the only text in backquotes with a slash.
        var vectors: [String] {
            self.evidence.matches(of: /`([a-z_]+\/[a-z0-9-]+)`/).map { String($0.output.1) }
        }

        /// Tests: title, and file as target and name, wherever in the target the file is.
        var tests: [(title: String, file: String)] {
            self.evidence.matches(of: /"([^"]+)" \(([A-Za-z]+\/[A-Za-z]+\.swift)\)/).map {
                (title: String($0.output.1), file: String($0.output.2))
            }
        }

        /// Decision records: number and path.
        var records: [(number: Int, path: String)] {
            self.evidence.matches(of: /\[decision (\d+)\]\(([^)]+)\)/).map {
                (number: Int($0.output.1) ?? 0, path: String($0.output.2))
            }
        }
    }

    static let root = Runner.tests.appendingPathComponent("../..").standardizedFileURL

    let rows: [Row]

    init() throws {
        let text = try String(contentsOf: Self.root.appendingPathComponent("docs/conformance.md"), encoding: .utf8)
        self.rows = text.split(separator: "\n").compactMap { line in
            guard let match = line.wholeMatch(of: /\| ([A-Z]+-?\d+) \| (.+?) \| ([a-z ]+) \| (.+) \|/) else {
                return nil
            }
            let (_, id, behaviour, status, evidence) = match.output
            return Row(
                id: String(id),
                behaviour: String(behaviour),
                status: String(status),
                evidence: String(evidence)
            )
        }
    }

    /// The text of every test file, by target and name.
    static func sources() throws -> [String: String] {
        let tests = Self.root.appendingPathComponent("Tests")
        var sources: [String: String] = [:]
        for path in try FileManager.default.subpathsOfDirectory(atPath: tests.path) where path.hasSuffix(".swift") {
            guard let target = path.split(separator: "/").first, let name = path.split(separator: "/").last else {
                continue
            }
            sources["\(target)/\(name)", default: ""] += try String(
                contentsOf: tests.appendingPathComponent(path),
                encoding: .utf8
            )
        }
        return sources
    }

    /// The ids of all vectors, with the rows that each is of; nil for the programs of our own, which name none.
    static func vectors() throws -> [String: [String]?] {
        struct Vector: Decodable {
            let id: String
            let rows: [String]?
        }
        var vectors: [String: [String]?] = [:]
        for folder in ["Vectors", "Programs"] {
            let directory = Runner.tests.appendingPathComponent(folder)
            for file in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
                let text = try String(contentsOf: directory.appendingPathComponent(file), encoding: .utf8)
                for line in text.split(separator: "\n") {
                    let vector = try JSONDecoder().decode(Vector.self, from: Data(line.utf8))
                    vectors.updateValue(vector.rows, forKey: vector.id)
                }
            }
        }
        return vectors
    }
}
