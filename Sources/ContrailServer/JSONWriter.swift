// Writes JSON straight into a buffer: result rows never become objects of an encoder.

internal import ContrailStore
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

#if canImport(FoundationEssentials)
private import FoundationEssentials
#else
private import Foundation
#endif

/// A JSON text under construction. Commas are its own business; matching begin and end is the caller's.
struct JSONWriter {
    private var buffer = ByteBuffer()
    private var needsComma = false
    /// Whether a number was written as null because JSON cannot say it.
    private(set) var hasNonFinite = false

    /// The text as a response.
    func response(status: HTTPResponse.Status = .ok, contentType: String = "application/json") -> Response {
        Response(
            status: status,
            headers: [.contentType: contentType, .contentLength: String(self.buffer.readableBytes)],
            body: ResponseBody(byteBuffer: self.buffer)
        )
    }

    // MARK: - Structure

    mutating func beginObject() { self.open("{") }
    mutating func endObject() { self.close("}") }
    mutating func beginArray() { self.open("[") }
    mutating func endArray() { self.close("]") }

    /// Writes a member's name; its value must follow.
    mutating func name(_ name: String) {
        self.value(name)
        self.buffer.writeStaticString(":")
        self.needsComma = false
    }

    // MARK: - Values

    mutating func value(_ text: String) {
        self.separate()
        self.buffer.writeStaticString("\"")
        var text = text
        text.withUTF8 { self.appendEscaped($0) }
        self.buffer.writeStaticString("\"")
    }

    /// Copies what needs no escape in whole runs: an answer may have megabytes.
    private mutating func appendEscaped(_ bytes: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for (index, byte) in bytes.enumerated() where Self.needsEscape(byte) {
            self.buffer.writeBytes(bytes[start..<index])
            start = index + 1
            switch byte {
            case UInt8(ascii: "\""): self.buffer.writeStaticString(#"\""#)
            case UInt8(ascii: "\\"): self.buffer.writeStaticString(#"\\"#)
            default: self.buffer.writeString(#"\u00"# + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            }
        }
        self.buffer.writeBytes(bytes[start...])
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    mutating func value(_ integer: some BinaryInteger) {
        self.separate()
        self.buffer.writeString(String(integer))
    }

    mutating func value(_ bool: Bool) {
        self.separate()
        self.buffer.writeStaticString(bool ? "true" : "false")
    }

    mutating func null() {
        self.separate()
        self.buffer.writeStaticString("null")
    }

    mutating func value(_ double: Double) {
        guard double.isFinite else {
            self.hasNonFinite = true
            self.null()
            return
        }
        self.separate()
        self.buffer.writeString(String(double))
    }

    /// Writes a value of a query: blobs as an object with their base64, infinities as null.
    mutating func value(_ value: QueryValue) {
        switch value {
        case .null: self.null()
        case .integer(let integer): self.value(integer)
        case .real(let real): self.value(real)
        case .text(let text): self.value(text)
        case .blob(let bytes):
            self.beginObject()
            self.member("base64", Data(bytes).base64EncodedString())
            self.endObject()
        }
    }

    // MARK: - Members

    mutating func member(_ name: String, _ text: String?) {
        self.name(name)
        if let text { self.value(text) } else { self.null() }
    }

    mutating func member(_ name: String, _ integer: some BinaryInteger) {
        self.name(name)
        self.value(integer)
    }

    mutating func member(_ name: String, _ integer: (some BinaryInteger)?) {
        self.name(name)
        if let integer { self.value(integer) } else { self.null() }
    }

    mutating func member(_ name: String, _ bool: Bool) {
        self.name(name)
        self.value(bool)
    }

    mutating func member(_ name: String, _ double: Double) {
        self.name(name)
        self.value(double)
    }

    /// Writes rows as an array of objects.
    mutating func member(_ name: String, rowsOf result: QueryResult) {
        self.name(name)
        self.beginArray()
        for row in result.rows { self.object(row, of: result) }
        self.endArray()
    }

    /// Writes one row as an object.
    mutating func object(_ row: [QueryValue], of result: QueryResult) {
        self.beginObject()
        for (column, value) in zip(result.columns, row) {
            self.name(column.name)
            self.value(value)
        }
        self.endObject()
    }

    private mutating func open(_ bracket: StaticString) {
        self.separate()
        self.buffer.writeStaticString(bracket)
        self.needsComma = false
    }

    private mutating func close(_ bracket: StaticString) {
        self.buffer.writeStaticString(bracket)
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.buffer.writeStaticString(",") }
        self.needsComma = true
    }
}
