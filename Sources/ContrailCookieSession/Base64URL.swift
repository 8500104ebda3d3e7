// Base64 with the alphabet of URLs and cookies, without padding (RFC 4648 §5).

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

enum Base64URL {
    static func encode(_ data: Data) -> String {
        var text = data.base64EncodedString()
        text.removeAll { $0 == "=" }
        return String(decoding: text.utf8.map(self.toURL), as: UTF8.self)
    }

    /// The data of a text; `nil` unless the text is exactly what ``encode(_:)`` makes of it, spare bits included.
    static func decode(_ text: Substring) -> Data? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        guard
            let data = Data(base64Encoded: String(decoding: text.utf8.map(self.fromURL), as: UTF8.self) + padding),
            self.encode(data) == text
        else { return nil }
        return data
    }

    private static func toURL(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "+"): UInt8(ascii: "-")
        case UInt8(ascii: "/"): UInt8(ascii: "_")
        default: byte
        }
    }

    private static func fromURL(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "-"): UInt8(ascii: "+")
        case UInt8(ascii: "_"): UInt8(ascii: "/")
        default: byte
        }
    }
}
