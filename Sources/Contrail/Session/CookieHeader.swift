// The `Cookie` field of a request (RFC 6265), which any client may have made up.

package import HTTPTypes

/// Reads `Cookie` fields: bounded, and skipping what is not a pair of a name and a value.
package enum CookieHeader {
    /// Calls the closure with each name and value, until it returns `false` or `limit` bytes were read.
    ///
    /// A pair without `=` or with a name that is no token is skipped; quotes around a value are taken off.
    package static func forEachPair(in fields: HTTPFields, limit: Int, _ body: (String, String) -> Bool) {
        var remaining = limit
        for field in fields[values: .cookie] {
            var rest = field.utf8.prefix(remaining)
            // What was cut off in the middle of a pair would be another cookie.
            if rest.count < field.utf8.count {
                guard let end = rest.lastIndex(of: UInt8(ascii: ";")) else { return }
                rest = rest[..<end]
                remaining = 0
            } else {
                remaining -= rest.count
            }
            while !rest.isEmpty {
                let pair = rest.prefix { $0 != UInt8(ascii: ";") }
                rest = rest[pair.endIndex...].dropFirst()
                guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
                let name = self.trimmed(pair[..<equals])
                guard !name.isEmpty, name.allSatisfy(self.isTokenByte) else { continue }
                let value = self.unquoted(self.trimmed(pair[pair.index(after: equals)...]))
                guard body(String(Substring(name)), String(Substring(value))) else { return }
            }
        }
    }

    /// Whether a byte may be in an HTTP token, such as a cookie's name.
    package static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Whether a byte may be in a cookie's value.
    package static func isValueByte(_ byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && !"\",;\\".utf8.contains(byte)
    }

    /// Whether a byte may be in an attribute's value, such as the path.
    package static func isAttributeByte(_ byte: UInt8) -> Bool {
        (0x20...0x7E).contains(byte) && byte != UInt8(ascii: ";")
    }

    /// Whether a byte may be in a domain.
    package static func isDomainByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private typealias Bytes = Substring.UTF8View

    private static func trimmed(_ bytes: Bytes) -> Bytes {
        let isBlank = { (byte: UInt8) in byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        let start = bytes.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return start }
        return start[...last]
    }

    private static func unquoted(_ bytes: Bytes) -> Bytes {
        let quote = UInt8(ascii: "\"")
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return bytes }
        return bytes.dropFirst().dropLast()
    }
}
