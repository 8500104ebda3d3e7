// The request or the response of one context as it was recorded for a replay, and what is left of it without a value.

internal import ContrailRecorder
private import Foundation
internal import GRDB

/// A head and a body, in one event or in several.
struct RecordedExchange {
    /// Which one: a context, and a kind of events.
    struct Name: Hashable {
        let context: Int64
        let kind: Int64
    }

    private let parts: [Part]
    /// Whether retention may have dropped a part.
    private let isCut: Bool

    /// Reads the events of the exchange.
    init(_ database: Database, _ name: Name) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT id, extra FROM event WHERE context_id = ? AND +kind = ? AND extra IS NOT NULL ORDER BY id",
            arguments: [name.context, name.kind]
        )
        var parts: [Part] = []
        while let row = try rows.next() {
            guard let id = row.integer(0), let text = row.text(1) else { continue }
            parts.append(Part(eventID: id, bytes: Array(text.utf8)))
        }
        self.parts = parts
        let bodies = parts.filter { $0.literal("part") != nil }
        self.isCut = bodies.first.map { $0.literal("part") != "1" || $0.literal("parts") != "\(bodies.count)" } ?? false
    }

    /// What the events say without the value, for those that have it: headers go one by one, a query and a body as a whole.
    func without(_ sought: SoughtValue) -> [(eventID: Int64, text: String)] {
        let losesBody = self.bodies.contains { sought.isIn(body: $0, isKeyGone: self.isCut) }
        return self.parts.compactMap { part in
            part.without(sought, losesBody: losesBody).map { (part.eventID, $0) }
        }
    }

    /// The body, in each way that it can be read: what its bytes are is said by the first part.
    private var bodies: [[UInt8]] {
        let texts = self.parts.compactMap { $0.string("body") }
        let encoding = self.parts.lazy.compactMap { $0.string("encoding") }.first
        let plain = texts.flatMap { Array($0.utf8) }
        let decoded = texts.flatMap { Array(Data(base64Encoded: $0) ?? Data()) }
        return switch encoding {
        case "text": [plain]
        case "base64": [decoded]
        default: [plain, decoded]
        }
    }

    /// One event.
    private struct Part {
        let eventID: Int64
        private let bytes: [UInt8]
        private let members: [(name: String?, value: Range<Int>)]

        init(eventID: Int64, bytes: [UInt8]) {
            self.eventID = eventID
            self.bytes = bytes
            self.members = DocumentScanner.items(of: bytes) ?? []
        }

        func string(_ name: String) -> String? { self.value(name).flatMap { DocumentScanner.string(self.bytes[$0]) } }

        /// A number, as it is written.
        func literal(_ name: String) -> String? {
            self.value(name).map { String(decoding: self.bytes[$0], as: UTF8.self) }
        }

        private func value(_ name: String) -> Range<Int>? { self.members.first { $0.name == name }?.value }

        /// The event's text without what it loses; nil when it loses nothing.
        func without(_ sought: SoughtValue, losesBody: Bool) -> String? {
            // What is missing, in the words that `redacted` uses.
            var lost: [String] = []
            var left: [(name: String, text: String)] = []
            for (name, range) in self.members {
                guard let name, name != "erased" else { continue }
                var text = String(decoding: self.bytes[range], as: UTF8.self)
                if name == "target", let target = self.string(name), sought.isIn(target: target) {
                    let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
                    text = JSONString.quoted(String(decoding: path, as: UTF8.self))
                    lost.append(name)
                }
                if name == "headers" { (text, lost) = self.headers(range, without: sought, lost) }
                if losesBody, name == "body" { lost.append(name) }
                // The hash could be held against guesses.
                if losesBody, name == "body" || name == "hash" { continue }
                left.append((name, text))
            }
            if lost.isEmpty { return nil }
            for name in self.erased.reversed() where !lost.contains(name) { lost.insert(name, at: 0) }
            left.append(("erased", "[\(lost.map(JSONString.quoted).joined(separator: ","))]"))
            return "{\(left.map { "\(JSONString.quoted($0.name)):\($0.text)" }.joined(separator: ","))}"
        }

        private func headers(_ range: Range<Int>, without sought: SoughtValue, _ lost: [String]) -> (String, [String]) {
            var (lost, left) = (lost, [String]())
            let list = Array(self.bytes[range])
            for pair in DocumentScanner.items(of: list) ?? [] {
                let bytes = Array(list[pair.value])
                // A value that was redacted is an object.
                let texts = (DocumentScanner.items(of: bytes) ?? []).map { DocumentScanner.string(bytes[$0.value]) }
                if texts.count == 2, let name = texts[0], let value = texts[1], sought.isIn(header: name, value) {
                    if !lost.contains("header:\(name)") { lost.append("header:\(name)") }
                } else {
                    left.append(String(decoding: bytes, as: UTF8.self))
                }
            }
            return ("[\(left.joined(separator: ","))]", lost)
        }

        /// What an earlier erasure has taken.
        private var erased: [String] {
            guard let range = self.value("erased") else { return [] }
            let list = Array(self.bytes[range])
            return (DocumentScanner.items(of: list) ?? []).compactMap { DocumentScanner.string(list[$0.value]) }
        }
    }
}
