// The request or the response of one context as it was recorded for a replay, and what of it holds a value.

private import Foundation
internal import GRDB

/// A head and a body, in one event or in several.
struct RecordedExchange {
    private let parts: [(id: Int64, part: Part)]

    /// Reads the events of the kind that the context has.
    init(_ database: Database, context: Int64, kind: Int64) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, extra FROM event WHERE context_id = ? AND +kind = ? AND extra IS NOT NULL ORDER BY id",
            arguments: [context, kind]
        )
        var parts: [(Int64, Part)] = []
        while let row = try rows.next() {
            guard let id = row.integer(0), let text = row.text(1) else { continue }
            if let part = try? JSONDecoder().decode(Part.self, from: Data(text.utf8)) { parts.append((id, part)) }
        }
        self.parts = parts
    }

    /// What has to go so that the value is not there any more: headers one by one, a query and a body as a whole.
    func losses(of sought: SoughtValue) -> [ErasedPayload] {
        let losesBody = sought.isIn(body: self.body)
        return self.parts.compactMap { id, part in
            // JSON paths, the last of a list first; and what is missing then, in the words that `redacted` uses.
            var (paths, names): ([String], [String]) = ([], [])
            var target: String?
            if let whole = part.target, sought.isIn(target: whole) {
                target = String(whole.prefix { $0 != "?" })
                names.append("target")
            }
            for (index, header) in (part.headers ?? []).enumerated().reversed() {
                guard let name = header.first?.text, let value = header.last?.text else { continue }
                guard sought.isKey(header: name), value == sought.text else { continue }
                paths.append("$.headers[\(index)]")
                names.append("header:\(name)")
            }
            if losesBody, part.body != nil {
                // The hash could be held against guesses.
                paths += ["$.body", "$.hash"]
                names.append("body")
            }
            if names.isEmpty { return nil }
            let erased = (part.erased ?? []) + names
            return ErasedPayload(
                eventID: id,
                paths: paths,
                target: target,
                erased: erased.indices.filter { !erased[..<$0].contains(erased[$0]) }.map { erased[$0] }
            )
        }
    }

    private var body: Data {
        let isText = self.parts.lazy.compactMap(\.part.encoding).first != "base64"
        return self.parts.reduce(into: Data()) { body, part in
            guard let text = part.part.body else { return }
            body += isText ? Data(text.utf8) : Data(base64Encoded: text) ?? Data()
        }
    }

    /// What one event says.
    private struct Part: Decodable {
        let target: String?
        let headers: [[Cell]]?
        let encoding: String?
        let body: String?
        let erased: [String]?
    }

    /// The name or the value of a header; no text when a placeholder stands there.
    private struct Cell: Decodable {
        let text: String?

        init(from decoder: any Decoder) throws {
            self.text = try? decoder.singleValueContainer().decode(String.self)
        }
    }
}
