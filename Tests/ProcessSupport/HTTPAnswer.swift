// What a server answered.

private import Foundation
package import NIOCore
package import NIOHTTP1

/// A response that was read to its end.
package struct HTTPAnswer: Sendable {
    package let status: Int
    package let headers: HTTPHeaders
    package let body: ByteBuffer

    /// The body as JSON.
    package var json: JSONValue {
        get throws { try JSONValue(Data(self.body.readableBytesView)) }
    }

    /// The value of a header; several are joined by commas.
    package subscript(header: String) -> String? {
        let values = self.headers[header]
        return values.isEmpty ? nil : values.joined(separator: ", ")
    }
}
