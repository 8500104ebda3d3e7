// The page of the catalogue: every id once, and everything that it names is there.

import Foundation
import Testing

@Suite("The catalogue")
struct CatalogueTests {
    /// How many rows each area of the catalogue has; a number has two digits after a hyphen.
    private static let areas: [(prefix: String, rows: Int)] = [
        ("G", 13), ("CTX-", 19), ("REQ-", 15), ("TD-", 13), ("SIG-", 13), ("LIF-", 13), ("SES-", 7), ("URL-", 4),
        ("G-", 11),
        ("PRX-", 6), ("HLP-", 8), ("STR-", 9), ("TST-", 12), ("NST-", 4), ("ASY-", 4), ("LOC-", 8), ("CV-", 15),
        ("REC-", 28),
    ]

    private let page: CataloguePage

    init() throws {
        self.page = try CataloguePage()
    }

    @Test("Every id of the catalogue has one row, and no row has another id")
    func ids() {
        let expected = Self.areas.flatMap { area in
            (1...area.rows).map { number in
                let isPadded = area.prefix.hasSuffix("-") && number < 10
                return "\(area.prefix)\(isPadded ? "0" : "")\(number)"
            }
        }
        #expect(expected.count == 202)
        #expect(self.page.rows.map(\.id).sorted() == expected.sorted())
    }

    @Test("A row is ported with a vector or a test, decided with a record and one of both, or has a reason")
    func status() {
        for row in self.page.rows {
            switch row.status {
            case "ported": #expect(!row.vectors.isEmpty || !row.tests.isEmpty, "\(row.id)")
            case "decided":
                #expect(!row.records.isEmpty, "\(row.id) names no record")
                #expect(!row.vectors.isEmpty || !row.tests.isEmpty, "\(row.id) names no test")
            case "no meaning": #expect(row.evidence.count > 20, "\(row.id) has no reason")
            default: Issue.record("\(row.id) is \(row.status)")
            }
            #expect(!row.behaviour.isEmpty, "\(row.id)")
        }
    }

    @Test("Every test that is named exists in the target and the file that are named")
    func tests() throws {
        let sources = try CataloguePage.sources()
        let tests = self.page.rows.flatMap { row in row.tests.map { (row.id, $0) } }
        #expect(tests.count > 80)
        for (id, test) in tests {
            let text = sources[test.file] ?? ""
            #expect(!text.isEmpty, "\(id): there is no \(test.file)")
            #expect(text.contains("\"\(test.title)\""), "\(id): no test in \(test.file) is called \(test.title)")
        }
    }

    @Test("Every vector that is named exists, and is one of the row's")
    func vectors() throws {
        let vectors = try CataloguePage.vectors()
        let named = self.page.rows.flatMap { row in row.vectors.map { (row.id, $0) } }
        #expect(named.count > 80)
        for (id, name) in named {
            let rows = vectors[name]
            #expect(rows != nil, "\(id): there is no vector \(name)")
            if let rows = rows ?? nil { #expect(rows.contains(id), "\(id): \(name) is of \(rows)") }
        }
    }

    @Test("Every record that is named exists, and its number is right")
    func records() {
        let named = self.page.rows.flatMap(\.records)
        #expect(named.count > 30)
        for record in named {
            let file = CataloguePage.root.appendingPathComponent("docs/\(record.path)")
            #expect(FileManager.default.fileExists(atPath: file.path), "\(record.path)")
            #expect(Int(file.lastPathComponent.prefix(4)) == record.number, "\(record.path)")
        }
    }
}
