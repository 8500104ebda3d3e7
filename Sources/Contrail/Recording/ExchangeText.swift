// Requests and responses as JSON that fits into records, free of secrets.

internal import ContrailRecorder
internal import HTTPTypes

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// Writes heads and bodies for one recorder.
struct ExchangeText {
    /// No target takes more, in bytes.
    private static let mostTarget = 8 * 1024
    /// What the numbers and names around a part of a body take, with room to spare.
    private static let frame = 256

    private let redaction: RedactionPolicy
    /// How many bytes one record takes.
    private let room: Int

    init(_ recorder: FlightRecorder) {
        self.redaction = recorder.redaction
        self.room = recorder.mostJSON
    }

    /// The members that say what a request was, and what of them a replay has to fill.
    func head(of request: HTTPRequest, headers names: Set<String>) -> Head {
        let target = request.path ?? "/"
        let kept = self.redaction.redacted(target, limit: min(Self.mostTarget, self.room / 4))
        var head = Head(members: [
            #""method":\#(JSONString.quoted(request.method.rawValue))"#, #""target":\#(JSONString.quoted(kept))"#,
        ])
        if kept != target { head.redacted.append("target") }
        self.add(request.headerFields, names, to: &head)
        return head
    }

    /// The members that say what a response was.
    func head(of response: HTTPResponse, headers names: Set<String>) -> Head {
        var head = Head(members: [#""status":\#(response.status.code)"#])
        self.add(response.headerFields, names, to: &head)
        return head
    }

    /// What is said of a request or response besides its body.
    struct Head {
        var members: [String]
        /// What is not there as it was: a replay has to fill it.
        var redacted: [String] = []

        var text: String {
            var members = self.members
            if !self.redacted.isEmpty {
                members.append(#""redacted":[\#(self.redacted.map(JSONString.quoted).joined(separator: ","))]"#)
            }
            return members.joined(separator: ",")
        }
    }

    private func add(_ fields: HTTPFields, _ names: Set<String>, to head: inout Head) {
        var pairs: [String] = []
        var left = self.room / 2 - head.members.reduce(0) { $0 + $1.utf8.count }
        var omitted = 0
        for field in fields {
            let name = field.name.canonicalName
            guard names.contains(name) else {
                omitted += 1
                continue
            }
            let kept = self.redaction.redacted(header: name, value: field.value, limit: 4096)
            // Half a value is of no use to a replay: it gets a placeholder that says what is missing.
            let isWhole = kept == field.value
            let value = isWhole ? JSONString.quoted(kept) : #"{"redacted":true,"type":"text"}"#
            let pair = "[\(JSONString.quoted(name)),\(value)]"
            guard pair.utf8.count < left else {
                omitted += 1
                continue
            }
            if !isWhole { head.redacted.append("header:\(name)") }
            left -= pair.utf8.count + name.utf8.count + 10
            pairs.append(pair)
        }
        head.members.append(#""headers":[\#(pairs.joined(separator: ","))]"#)
        if omitted > 0 { head.members.append(#""omitted_headers":\#(omitted)"#) }
    }

    // MARK: - Bodies

    /// The records of a head and the body that goes with it. A body may come without its head, which then was the first part.
    func parts(_ head: Head?, _ body: BodyCapture, isComplete: Bool = true) -> [String] {
        let kept = self.redaction.redacted(body: body.bytes, limit: BodyCapture.limit, isCut: body.isCut || !isComplete)
        let isRedacted = kept != body.bytes
        var head = head ?? Head(members: [])
        if isRedacted { head.redacted.append("body") }
        let encoding = Self.encoding(of: kept)
        var members = head.members
        members.append(#""size":\#(body.size),"encoding":"\#(encoding.rawValue)""#)
        // The hash of what was redacted could be held against guesses.
        if !isRedacted { members.append(#""hash":"fnv1a64:\#(String(digitsOf: body.hash))""#) }
        if body.isCut { members.append(#""cut":true"#) }
        if !isComplete { members.append(#""incomplete":true"#) }
        head.members = members
        let first = head.text
        var chunks: [String] = []
        var rest = kept[...]
        repeat {
            let taken = chunks.isEmpty ? first.utf8.count : 0
            chunks.append(encoding.take(from: &rest, room: max(self.room - taken - Self.frame, 64)))
        } while !rest.isEmpty
        return chunks.enumerated().map { index, chunk in
            let number = #""part":\#(index + 1),"parts":\#(chunks.count)"#
            return index == 0
                ? "{\(number),\(first),\"body\":\"\(chunk)\"}" : "{\(number),\"body\":\"\(chunk)\"}"
        }
    }

    /// The record of a head whose body follows.
    func announcement(_ head: Head) -> String { #"{\#(head.text),"body_follows":true}"# }

    private static func encoding(of bytes: [UInt8]) -> Encoding {
        let controls = bytes.reduce(0) { $0 + ($1 < 0x20 ? 1 : 0) }
        return controls * 8 <= bytes.count && String(validating: bytes, as: UTF8.self) != nil ? .text : .base64
    }

    /// How the bytes of a body become text.
    private enum Encoding: String {
        case text
        case base64

        /// Takes as many bytes as fit, at least one character of them, in the form that stands between quotes.
        func take(from bytes: inout ArraySlice<UInt8>, room: Int) -> String {
            switch self {
            case .base64:
                let part = bytes.prefix(max(room / 4 * 3, 3))
                bytes = bytes.dropFirst(part.count)
                return Data(part).base64EncodedString()
            case .text:
                var output: [UInt8] = []
                var end = bytes.startIndex
                while end < bytes.endIndex {
                    var next = end + 1
                    while next < bytes.endIndex, bytes[next] & 0xC0 == 0x80 { next += 1 }
                    // A byte becomes six at the most.
                    guard output.isEmpty || output.count + 6 * (next - end) <= room else { break }
                    for byte in bytes[end..<next] { JSONString.append(byte, to: &output) }
                    end = next
                }
                bytes = bytes[end...]
                return String(decoding: output, as: UTF8.self)
            }
        }
    }
}
